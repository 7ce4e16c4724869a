import { accessSync, constants, existsSync } from "node:fs";
import { createRequire } from "node:module";
import { delimiter, join, resolve } from "node:path";
import { searchPath } from "../config/config.ts";
import type { Config } from "../config/config.ts";

/** Claude Code's executable: the one that is named, the one that is installed beside the hub, the one in PATH; null: none. */
export function findAgent(config: Config): string | null {
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

/** For what cannot do without it on this machine. */
export function requireAgent(config: Config): string {
  const found = findAgent(config);
  if (found !== null) return found;
  throw new Error(
    "Claude Code was not found: install it (npm install -g @anthropic-ai/claude-code) or set CLAUDE_CODE_PATH.",
  );
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
