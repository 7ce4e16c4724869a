import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { Secret } from "../core/secret.ts";
import { environment } from "./environment.ts";
import type { Variables } from "./environment.ts";
import { ConfigError } from "./source.ts";

/** Variables of the command line as a client of a hub; the hub itself does not look at them. */
export const CLIENT_VARIABLES = [
  "CLAUDE_HUB_URL",
  "CLAUDE_HUB_TOKEN",
  "CLAUDE_HUB_TOKEN_FILE",
  "CLAUDE_HUB_PROFILE",
];

export interface ClientEnvironment {
  url: string | null;
  token: Secret | null;
  profile: string | null;
  /** Whose a repository is that is named without an owner. */
  owner: string | null;
  /** What opens a file for a person to change it, as a shell would call it. */
  editor: string;
  /** Where profiles are kept. */
  configDir: string;
}

/** @throws ConfigError when a file with the token cannot be read. */
export function clientEnvironment(env: Variables = environment): ClientEnvironment {
  const base = env["XDG_CONFIG_HOME"] || join(env["HOME"] || homedir(), ".config");
  return {
    url: env["CLAUDE_HUB_URL"] || null,
    token: tokenOf(env),
    profile: env["CLAUDE_HUB_PROFILE"] || null,
    owner: env["DEFAULT_GITHUB_OWNER"] || null,
    editor: env["VISUAL"] || env["EDITOR"] || "vi",
    configDir: join(base, "claude-hub"),
  };
}

function tokenOf(env: Variables): Secret | null {
  const path = env["CLAUDE_HUB_TOKEN_FILE"];
  if (!path) return env["CLAUDE_HUB_TOKEN"] ? new Secret(env["CLAUDE_HUB_TOKEN"]) : null;
  try {
    return new Secret(readFileSync(path, "utf8").trim());
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unknown error";
    throw new ConfigError(`CLAUDE_HUB_TOKEN_FILE must name a file that can be read (${code}).`);
  }
}
