import { readFile } from "node:fs/promises";
import { join } from "node:path";
import pino from "pino";
import { loadEngineProxyConfig } from "../config/engine-proxy.ts";
import type { EngineProxyConfig } from "../config/engine-proxy.ts";
import { startEngineProxy } from "../engine-proxy/proxy.ts";
import type { Ownership } from "../engine-proxy/template.ts";
import { INSIDE } from "../runtimes/docker/confinement.ts";
import { DOCTOR, OWNER, ownerOfHub, PROBE } from "../runtimes/docker/labels.ts";
import { bundledRunner } from "./runner-path.ts";

/** Who may connect is decided by the directory of the socket: the hub is another user, in a container of its own. */
const MODE = 0o666;

/** Stands between the hub and the container engine until a signal ends it. */
export async function runEngineProxy(flags: Record<string, string | undefined>): Promise<void> {
  try {
    const config = loadEngineProxyConfig({ flags });
    const log = pino({ level: config.logLevel });
    const ended = untilSignal();
    await using _proxy = await startEngineProxy({
      ...config,
      ...templateOf(config),
      mode: MODE,
      owner: ownerIn(join(config.dir, "executor-id")),
      log,
    });
    log.info({ signal: await ended }, "stopping");
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    process.stderr.write(`claude-hub: ${message}\n`);
    process.exit(1);
  }
}

function templateOf(config: EngineProxyConfig) {
  const { dir, agentPath, images, limits } = config;
  return {
    template: {
      ...limits,
      images,
      own: INSIDE.own,
      mounts: [
        { source: join(dir, "gateway"), target: INSIDE.gateway },
        { source: config.runnerPath ?? bundledRunner(), target: INSIDE.runner },
        ...(agentPath === null ? [] : [{ source: agentPath, target: agentPath }]),
      ],
    },
    ...ARCHIVES,
  };
}

const ARCHIVES = {
  readable: ["/etc/passwd", `${INSIDE.spool}/runner.lock`],
  writable: ["workspace/", "home/", "spool/", "spool/runner.lock"],
};

/** Read once, when the hub has made it: who takes the hub over later cannot become another one. */
function ownerIn(path: string): () => Promise<Ownership> {
  let known: Ownership | undefined;
  return async () =>
    (known ??= {
      labels: [OWNER, PROBE, DOCTOR],
      value: ownerOfHub((await readFile(path, "utf8")).trim()),
    });
}

async function untilSignal(): Promise<NodeJS.Signals> {
  return await new Promise((done) => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => done(signal));
  });
}
