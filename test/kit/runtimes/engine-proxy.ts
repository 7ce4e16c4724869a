import { join } from "node:path";
import pino from "pino";
import { startEngineProxy } from "../../../src/engine-proxy/proxy.ts";
import { INSIDE } from "../../../src/runtimes/docker/confinement.ts";
import { OWNER, ownerOfHub, PROBE } from "../../../src/runtimes/docker/labels.ts";
import type { RuntimeHost } from "../../../src/runtimes/runtime.ts";
import type { TestEngine } from "./engine.ts";

/** A proxy before an engine, for the hub of that host; answers where it listens. */
export async function openEngineProxy(
  engine: TestEngine,
  host: RuntimeHost,
  log = pino({ level: "silent" }),
): Promise<AsyncDisposable & { socketPath: string }> {
  const socketPath = join(host.sandboxesDir, "../engine.sock");
  const { image, cpuShares, diskBytes, ociRuntime, hubId } = host.containers;
  const proxy = await startEngineProxy({
    listen: socketPath,
    mode: 0o600,
    engine: engine.address.replace("unix://", ""),
    template: {
      images: [image],
      mounts: [
        { source: host.gatewayDir, target: INSIDE.gateway },
        { source: host.runnerPath, target: INSIDE.runner },
        ...host.agentPaths.map((path) => ({ source: path, target: path })),
      ],
      own: INSIDE.own,
      memoryBytes: 4_294_967_296,
      processes: 1_024,
      cpuShares,
      diskBytes,
      ociRuntime,
    },
    readable: ["/etc/passwd", `${INSIDE.spool}/runner.lock`],
    writable: ["workspace/", "home/", "spool/", "spool/runner.lock"],
    owner: () => Promise.resolve({ labels: [OWNER, PROBE], value: ownerOfHub(hubId) }),
    log,
  });
  return { socketPath, [Symbol.asyncDispose]: () => proxy[Symbol.asyncDispose]() };
}
