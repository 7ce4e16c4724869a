import { accessSync, constants, existsSync } from "node:fs";
import { createRequire } from "node:module";
import { delimiter, join, resolve } from "node:path";
import { createLog, startHub } from "../app.ts";
import { loadConfig, searchPath } from "../config/config.ts";
import type { Config } from "../config/config.ts";

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
    const runnerPath = resolve(import.meta.dirname, "../../dist/runner.mjs");
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

/** Claude Code's executable: the one that is named, the one that is installed beside the hub, the one in PATH; null: none. */
function findAgent(config: Config): string | null {
  const { path } = config.agent;
  if (path !== null) {
    if (isExecutable(path)) return resolve(path);
    throw new Error(`CLAUDE_CODE_PATH is ${JSON.stringify(path)} but must be an executable file.`);
  }
  const beside = (createRequire(import.meta.url).resolve.paths("@anthropic-ai/claude-code") ?? [])
    // It has this name on every system.
    .map((dir) => join(dir, "@anthropic-ai/claude-code/bin/claude.exe"));
  const inPath = searchPath()
    .split(delimiter)
    .map((dir) => join(dir, "claude"));
  return [...beside, ...inPath].find((candidate) => isExecutable(candidate)) ?? null;
}

function isExecutable(path: string): boolean {
  if (!existsSync(path)) return false;
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
