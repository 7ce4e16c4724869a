import { startHub } from "../app.ts";
import { createLog } from "../config/log.ts";
import { loadConfig } from "../config/config.ts";
import type { Config } from "../config/config.ts";
import { findAgent } from "./agent-path.ts";
import { bundledRunner } from "./runner-path.ts";

/** Ends when a signal says so; sessions go on in their sandboxes. */
export async function serve(flags: Record<string, string | undefined>): Promise<void> {
  // DBOS 5.3 does what the next major version of pg will refuse; nothing that an operator could act upon.
  process.noDeprecation = true;
  let config: Config;
  try {
    config = loadConfig({ flags });
  } catch (error) {
    fail(error);
    return;
  }
  const log = createLog(config.logLevel);
  const ended = untilSignal();
  try {
    const agentPath = findAgent(config);
    const runnerPath = config.runnerPath ?? bundledRunner();
    await using hub = await startHub({ config, agentPath, runnerPath, log });
    process.stdout.write(`listening on ${hub.url}\n`);
    log.info({ signal: await ended }, "stopping");
  } catch (error) {
    log.debug({ err: error }, "the hub could not go on");
    fail(error);
    return;
  }
  log.info("stopped");
  process.exit(0);
}

function fail(error: unknown): void {
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`claude-hub: ${message}\n`);
  process.exit(1);
}

async function untilSignal(): Promise<NodeJS.Signals> {
  return await new Promise((done) => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => done(signal));
  });
}
