import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseRule } from "../../core/egress.ts";
import type { EgressPreset, EgressRule } from "../../core/egress.ts";

const TOOL_MS = 30_000;
const TOOL_BYTES = 1_048_576;

/** A preset that stands for nothing on this machine: one sentence for the operator. */
export class PresetError extends Error {
  override name = "PresetError";
}

interface Parts {
  /** PATH and HOME, and what tells package tools where their configuration is. */
  environment: Readonly<Record<string, string>>;
  serverUrl: string;
  apiUrl: string;
}

/**
 * The hosts that presets stand for. Those of a package tool are asked of the tool itself, as it is configured on this
 * machine: no registry is known here by name, and a mirror is found where there is one.
 *
 * @param setting Where they are named, for who has to mend it.
 * @throws PresetError
 */
export async function resolvePresets(
  presets: readonly EgressPreset[],
  parts: Parts,
  setting = "CLAUDE_HUB_EGRESS_PRESETS",
): Promise<EgressRule[]> {
  const found: EgressRule[] = [];
  for (const preset of new Set(presets)) {
    const hosts = await SOURCES[preset](parts);
    const rules = hosts.flatMap((host) => {
      const rule = parseRule(host);
      return "fault" in rule || rule.isAddress ? [] : [rule];
    });
    if (rules.length === 0)
      throw new PresetError(
        `${setting} names ${preset}, but ${MISSING[preset]}; list its hosts in CLAUDE_HUB_EGRESS_HOSTS instead.`,
      );
    found.push(...rules);
  }
  return found;
}

/** The hosts of each preset that repositories may choose. @throws PresetError */
export async function choosablePresets(
  presets: readonly EgressPreset[],
  parts: Parts,
): Promise<Map<EgressPreset, EgressRule[]>> {
  const found = new Map<EgressPreset, EgressRule[]>();
  for (const preset of new Set(presets)) {
    const rules = await resolvePresets([preset], parts, "CLAUDE_HUB_EGRESS_REPOSITORY_PRESETS");
    found.set(preset, rules);
  }
  return found;
}

const MISSING: Record<EgressPreset, string> = {
  apt: "apt-get on this machine tells of no source",
  cargo: "cargo's config.toml on this machine names no registry",
  forge: "GITHUB_SERVER_URL is no name",
  go: "go on this machine names no proxy",
  npm: "npm on this machine names no registry",
  pip: "pip on this machine names no index",
};

const SOURCES: Record<EgressPreset, (parts: Parts) => Promise<string[]>> = {
  async apt(parts) {
    const format = ["--no-release-info", "--format", "$(REPO_URI)"];
    return hostsIn(await run(parts, "apt-get", ["indextargets", ...format]));
  },
  async cargo({ environment }) {
    const home = environment["CARGO_HOME"] ?? join(environment["HOME"] ?? "/nonexistent", ".cargo");
    const texts = await Promise.all(
      ["config.toml", "config"].map((name) => read(join(home, name))),
    );
    const settings = texts.join("\n").match(/^\s*(?:index|registry)\s*=.*$/gm) ?? [];
    return hostsIn(settings.join("\n"));
  },
  forge: ({ serverUrl, apiUrl }) => Promise.resolve(rawHosts(serverUrl, apiUrl)),
  async go(parts) {
    const [proxies = "", sums = ""] = (await run(parts, "go", ["env", "GOPROXY", "GOSUMDB"])).split(
      "\n",
    );
    // The database is named by its host, or by a host and an address.
    const database = sums.trim().split(/\s+/);
    const named = database.at(1) ?? `https://${(database[0] ?? "").split("+")[0]}`;
    return hostsIn(`${proxies} ${named === "https://off" || named === "https://" ? "" : named}`);
  },
  async npm(parts) {
    const listed = await run(parts, "npm", ["config", "get", "registry"]);
    const files = await Promise.all(npmFiles(parts).map(read));
    const scopes = files.join("\n").match(/^@[^=\s]+:registry\s*=.*$/gm) ?? [];
    return hostsIn([listed, ...scopes].join("\n"));
  },
  async pip(parts) {
    const settings = await run(parts, "pip", ["config", "list"]);
    const extra = settings.match(/^\S*(?:index-url|find-links)=.*$/gm) ?? [];
    // Its help tells the index in force, which is nowhere else when nothing is configured.
    const help = await run(parts, "pip", ["install", "--help"]);
    const index = /--index-url[\s\S]*?\(default\s+(\S+?)\)/.exec(help)?.[1] ?? "";
    return hostsIn([...extra, index].join("\n"));
  },
};

function npmFiles({ environment }: Parts): string[] {
  const user = environment["NPM_CONFIG_USERCONFIG"] ?? environment["npm_config_userconfig"];
  return [user ?? join(environment["HOME"] ?? "/nonexistent", ".npmrc")];
}

/** Raw files and archives of a forge. The forge itself is not among them: with a token of its own, an agent could write there. */
function rawHosts(serverUrl: string, apiUrl: string): string[] {
  const [server, api] = [new URL(serverUrl), new URL(apiUrl)];
  if (server.hostname === "github.com") return ["raw.githubusercontent.com", "codeload.github.com"];
  const port = server.port === "" ? "" : `:${server.port}`;
  const roots = new Set([server.hostname, api.hostname.replace(/^api\./, "")]);
  return [...roots].flatMap((root) => [`raw.${root}${port}`, `codeload.${root}${port}`]);
}

/** `host` or `host:port` of every web address in a text. */
function hostsIn(text: string): string[] {
  const addresses = text.match(/https?:\/\/[^\s"'|,<>()]+/g) ?? [];
  return [...new Set(addresses)].flatMap((address) => {
    if (!URL.canParse(address)) return [];
    const { hostname, port } = new URL(address);
    return [port === "" ? hostname : `${hostname}:${port}`];
  });
}

async function read(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return "";
    throw error;
  }
}

/** What a tool prints; nothing, if it is not there or fails. */
async function run({ environment }: Parts, program: string, args: string[]): Promise<string> {
  const options = { env: environment, timeout: TOOL_MS, maxBuffer: TOOL_BYTES };
  return await new Promise((resolve) => {
    execFile(program, args, options, (error, stdout) => resolve(error === null ? stdout : ""));
  });
}
