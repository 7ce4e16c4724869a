import { readlink } from "node:fs/promises";
import { join } from "node:path";
import type { Logger } from "pino";
import { ConfigError } from "../config/source.ts";
import { searchPath } from "../config/config.ts";
import type { Config } from "../config/config.ts";
import { newId } from "../core/id.ts";
import { NAMESPACES } from "../core/probe.ts";
import type { Place, ProbeReport } from "../core/probe.ts";
import { tryModel } from "../gateway/model/trial.ts";
import { agentInside, runtimeHost } from "../runtimes/host.ts";
import { createRuntime } from "../runtimes/registry.ts";
import type { Runtime, RuntimeHost } from "../runtimes/runtime.ts";
import { readOrMake } from "../store/data-dir/kept-file.ts";
import { checkDatabase } from "./database.ts";
import { failure, fine, messageOf, warning } from "./finding.ts";
import type { Finding } from "./finding.ts";
import { judgeInside } from "./inside.ts";
import { checkDisk, checkGit, checkNode } from "./machine.ts";
import { lookInside } from "./sandbox.ts";

export interface Examination {
  loadConfig(): Config;
  /** Executable of the agent on this machine; null: there is none. */
  agentPath(config: Config): string | null;
  runnerPath(config: Config): string;
  /** Places that a sandbox should not be able to connect to. */
  reach: Place[];
  /** Makes one small call of the model, which costs something, and asks the forge. */
  online: boolean;
  /** What the forge says of the hub. */
  forge(config: Config): Promise<Finding[]>;
  signal: AbortSignal;
  log: Logger;
}

/** Looks at everything that a hub with this configuration needs; each finding as soon as it is there. */
export async function* examine(options: Examination): AsyncGenerator<Finding> {
  yield checkNode(process.version);
  let config: Config;
  try {
    config = options.loadConfig();
    yield fine("settings", `they can be read; data directory ${config.dir}`);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    yield failure(
      "settings",
      error.message,
      "correct it; docs/configuration.md lists every setting",
    );
    return;
  }
  yield await checkGit(searchPath());
  yield* await checkDatabase(config);
  yield* checkSandboxes(config, options);
  yield await checkModel(config, options);
  if (options.online) yield* await options.forge(config);
  else yield checkForge(config);
  yield await checkDisk(config.dir);
}

async function* checkSandboxes(config: Config, options: Examination): AsyncGenerator<Finding> {
  let found: { runtime: Runtime; host: RuntimeHost };
  try {
    found = await chooseRuntime(config, options);
  } catch (error) {
    yield failure("runtime", messageOf(error), mendRuntime(config, messageOf(error)));
    return;
  }
  const { runtime, host } = found;
  const check = await runtime.check();
  if (!check.available) {
    yield failure("runtime", `${runtime.name}: ${check.reason}`, mendRuntime(config, check.reason));
    return;
  }
  const { isolation, memoryLimit, processLimit } = check.abilities;
  yield isolation === "none"
    ? failure("runtime", "the runtime process isolates nothing", "apt install bubblewrap")
    : fine("runtime", `${runtime.name} makes sandboxes`);
  const unlimited = [...(memoryLimit ? [] : ["memory"]), ...(processLimit ? [] : ["processes"])];
  yield unlimited.length === 0
    ? fine("limits", "memory and processes of a sandbox are limited")
    : warning(
        "limits",
        `${unlimited.join(" and ")} of a sandbox cannot be limited here`,
        "give the hub control groups (run it as root, or in a delegated systemd scope)",
      );
  try {
    const agentExecutable = agentInside(runtime.name, config, options.agentPath(config));
    if (agentExecutable === null) throw new Error("Claude Code was not found");
    const { sandbox: limits } = config;
    const report = await lookInside({ ...options, runtime, host, limits, agentExecutable });
    const secrets = [...Object.values(config.secrets), config.database.url];
    yield* judgeInside(report, {
      secrets: secrets.filter((secret) => secret !== null),
      outside: await ownNamespaces(),
      mend: mendIsolation(runtime.name),
    });
  } catch (error) {
    options.signal.throwIfAborted();
    yield failure("sandbox", messageOf(error), mendRuntime(config, messageOf(error)));
  }
}

/** The sandboxes of a doctor are nobody's but its own: a hub at work beside it sees none of them. */
async function chooseRuntime(config: Config, options: Examination) {
  const hubId = await readOrMake(join(config.dir, "executor-id"), newId);
  const usual = runtimeHost(config, {
    dir: config.dir,
    agentPath: options.agentPath(config),
    runnerPath: options.runnerPath(config),
    hubId,
  });
  const host: RuntimeHost = {
    ...usual,
    sandboxesDir: join(config.dir, "doctor"),
    gatewaySocketName: "dr.sock",
    containers: { ...usual.containers, purpose: "doctor" },
  };
  return { host, runtime: await createRuntime(config.sandbox.runtime, host) };
}

async function ownNamespaces(): Promise<ProbeReport["namespaces"]> {
  const names = await Promise.all(NAMESPACES.map((kind) => readlink(`/proc/self/ns/${kind}`)));
  const [ipc = "", mnt = "", net = "", pid = ""] = names;
  return { ipc, mnt, net, pid };
}

async function checkModel(config: Config, { online, agentPath }: Examination): Promise<Finding> {
  const { access } = config.model;
  const mend = "npm run auth";
  if (access.form === "anthropic" && access.apiKey === null)
    return failure("model", "ANTHROPIC_API_KEY is not set, so no agent can work", mend);
  if (access.form === "subscription")
    return warning(
      "model",
      "a Claude subscription is for one person's own use, and its login is read by the hub",
      mend,
    );
  if (!online) return fine("model", `${access.form} at ${access.baseUrl}; --online tries it`);
  const trial = await tryModel(config.model, () => agentPath(config) ?? "claude");
  return trial.ok
    ? fine("model", `${trial.model} answers`)
    : failure("model", trial.reason, trial.hint ?? mend);
}

function checkForge({ secrets, github }: Config): Finding {
  const tries = "--online asks GitHub";
  if (github.appId !== null && secrets.githubAppKey !== null)
    return fine("forge", `the hub is the GitHub App ${github.appId}; ${tries}`);
  if (secrets.githubToken !== null) return fine("forge", `there is a token for GitHub; ${tries}`);
  return warning(
    "forge",
    "there is no GitHub App and no GITHUB_TOKEN: private repositories cannot be read, and nothing be pushed",
    "claude-hub github setup",
  );
}

function mendRuntime(config: Config, reason: string): string {
  if (/image .* is not there/.test(reason)) return "npm run image";
  if (/runner is not built|runner cannot be read/.test(reason)) return "npm run build:bundles";
  if (/no permission to use/.test(reason)) return 'usermod -aG docker "$USER", and log in again';
  if (/no container engine listens/.test(reason)) return "systemctl start docker";
  if (/Claude Code was not found/.test(reason)) return "npm install -g @anthropic-ai/claude-code";
  return config.sandbox.runtime === "docker" ? "docker info" : "apt install bubblewrap";
}

function mendIsolation(runtime: Runtime["name"]): string {
  if (runtime === "process") return "apt install bubblewrap, and set CLAUDE_HUB_RUNTIME=auto";
  return runtime === "docker"
    ? "docker info"
    : "use the runtime docker (CLAUDE_HUB_RUNTIME=docker)";
}
