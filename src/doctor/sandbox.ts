import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { Logger } from "pino";
import { newId } from "../core/id.ts";
import { policyFor } from "../core/policy.ts";
import { ProbeReport } from "../core/probe.ts";
import type { Place, ProbeOrder } from "../core/probe.ts";
import { readJson } from "../gateway/request-json.ts";
import { createGateway } from "../gateway/server.ts";
import type { GatewaySession } from "../gateway/session.ts";
import type { Runtime, RuntimeHost, SandboxLimits } from "../runtimes/runtime.ts";

const REPORT_BYTES = 8 * 1_048_576;
const PATIENCE_MS = 90_000;
const LOOK_MS = 200;
/** Shorter than the hub's own: a data directory may have as long a path as fits that one. */
export const DOCTOR_SOCKET = "dr.sock";
const NOTHING = { pushBranches: [], pushWorkflows: false, maxTokens: null, maxCostUsd: null };

/**
 * Makes a sandbox as sessions have it, with the real runner in it, and has it looked at from inside. Nothing of it is
 * left. It is given a token of its own, and no secret.
 *
 * @throws Error in one sentence when it cannot be made or does not report.
 */
export async function lookInside(options: {
  runtime: Runtime;
  host: RuntimeHost;
  limits: SandboxLimits;
  agentExecutable: string;
  reach: Place[];
  signal: AbortSignal;
  log: Logger;
}): Promise<ProbeReport> {
  const { runtime, host } = options;
  await removeLeftOvers(runtime);
  await using trap = await openTrap();
  const order: ProbeOrder = {
    probe: {
      reach: [...options.reach, trap.place],
      abstractSocket: trap.name,
      agentExecutable: options.agentExecutable,
    },
  };
  const token = randomBytes(32).toString("base64url");
  const session: GatewaySession = {
    sessionId: newId(),
    repository: "claude-hub/doctor",
    policy: policyFor("analysis", NOTHING),
    workBranch: null,
    spent: { tokens: 0, costUsd: 0 },
    readAt: performance.now(),
  };
  const reported = Promise.withResolvers<ProbeReport>();
  reported.promise.catch(() => undefined);
  await using gateway = createGateway({
    address: { socketPath: join(host.gatewayDir, DOCTOR_SOCKET) },
    authenticate: (shown) => Promise.resolve(shown === token ? session : null),
    doors: new Map([
      [
        "runner",
        async (req, res) => {
          if (req.method === "POST")
            reported.resolve(await readJson(req, ProbeReport, REPORT_BYTES));
          const answer = req.method === "POST" ? {} : order;
          res.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(answer));
        },
      ],
    ]),
    log: options.log,
    limits: { drainMs: 500 },
  });
  await gateway.listen();
  const name = `claude-hub-probe-${randomBytes(6).toString("hex")}`;
  await using _removed = { [Symbol.asyncDispose]: () => runtime.remove(name) };
  await runtime.ensure({ name, sessionId: session.sessionId, token, limits: options.limits });
  return await Promise.race([reported.promise, untilItEnds(runtime, name, options.signal)]);
}

/** Of a doctor that was killed; its runner has ended by itself. */
async function removeLeftOvers(runtime: Runtime): Promise<void> {
  for (const { name, state } of await runtime.list())
    if (state === "exited") await runtime.remove(name);
}

async function untilItEnds(runtime: Runtime, name: string, signal: AbortSignal): Promise<never> {
  const end = performance.now() + PATIENCE_MS;
  for (;;) {
    await pause(LOOK_MS, undefined, { signal });
    const state = await runtime.inspect(name);
    const isLate = performance.now() > end;
    if (state === "running" && !isLate) continue;
    const words = (await runtime.lastWords(name)).trim().slice(-500);
    // Its report may be on the way.
    await pause(LOOK_MS);
    throw new Error(
      `the sandbox ${isLate ? "did not report in time" : "ended without a report"}${words === "" ? "" : `: ${words}`}`,
    );
  }
}

/** Listens where only programs of this machine can connect: on its loopback, and on a name in its network. */
async function openTrap(): Promise<AsyncDisposable & { place: Place; name: string }> {
  await using parts = new AsyncDisposableStack();
  const open = async (where: { host: string; port: number } | { path: string }) => {
    const server = createServer((socket) => socket.destroy());
    server.listen(where);
    await once(server, "listening");
    parts.defer(async () => {
      const closed = once(server, "close");
      server.close();
      await closed;
    });
    return server.address();
  };
  const name = `claude-hub-doctor-${randomBytes(8).toString("hex")}`;
  await open({ path: `\0${name}` });
  const address = await open({ host: "127.0.0.1", port: 0 });
  if (address === null || typeof address === "string") throw new Error("the loopback has no ports");
  const place = { host: "127.0.0.1", port: address.port };
  const all = parts.move();
  return { place, name, [Symbol.asyncDispose]: () => all.disposeAsync() };
}
