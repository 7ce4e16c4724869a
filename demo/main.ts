import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";
import { claudeCodePath } from "../test/kit/agent/claude-code.ts";
import { createGitForge } from "../test/kit/forge/git-forge.ts";
import { HubEnded, startHub } from "../test/kit/hub/hub.ts";
import type { HubOptions } from "../test/kit/hub/hub.ts";
import { readScenario } from "../test/kit/model/scenario.ts";
import { createScriptedModel } from "../test/kit/model/scripted-model.ts";
import { demoOnGitHub } from "./github/run.ts";
import { demoOrchestration } from "./orchestrate/run.ts";
import { chooseRuntime, RUNTIMES } from "./runtime.ts";
import { createScreen } from "./screen.ts";
import type { Screen } from "./screen.ts";
import { runPair } from "./pair.ts";
import { verify } from "./verify.ts";

const REPOSITORY = "octo/greeter";
const DUMMY_KEY = "no-key-is-needed";
const DUMMY_TOKEN = "token-of-the-demo-forge";
/** The end of what the hub has said. */
const SAID_CHARS = 4_000;
const LIMIT_MS = { scripted: 120_000, real: 900_000 };

/** Whoever ends the demo from the keyboard has its hub ended as well, which has a terminal of its own. */
class Interrupted extends Error {
  override name = "Interrupted";
}
const interrupted = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const)
  process.on(signal, () => interrupted.abort(new Interrupted(signal)));

class DemoFailed extends Error {
  override name = "DemoFailed";
  /** By the hub. */
  readonly said: string;
  constructor(said: string, cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.said = said;
  }
}

/** The main job, for real: hub, database, sandboxes, git and Claude Code; only the model is scripted unless `--real`. */
async function demo({
  real,
  github,
  orchestrate,
  runtime: named,
}: {
  real: boolean;
  github: boolean;
  orchestrate: boolean;
  runtime?: string | undefined;
}): Promise<number> {
  const screen = createScreen(process.stdout);
  const key = process.env["ANTHROPIC_API_KEY"];
  if (real && (key === undefined || key === "")) {
    screen.problem("--real needs ANTHROPIC_API_KEY.");
    return 2;
  }
  const runtime = await chooseRuntime(named);
  if (runtime === null) {
    screen.problem(`--runtime must be one of: ${RUNTIMES.join(", ")}.`);
    return 2;
  }
  const story = github ? "github/" : orchestrate ? "orchestrate/" : "";
  await using scripted = await createScriptedModel({
    apiKey: DUMMY_KEY,
    scenario: await readScenario(new URL(`${story}scenario.json`, import.meta.url)),
  });
  const common = {
    model: real
      ? { url: process.env["ANTHROPIC_BASE_URL"] ?? "https://api.anthropic.com", apiKey: key ?? "" }
      : { url: scripted.url, apiKey: DUMMY_KEY },
    // Containers have their own.
    ...(runtime === "docker" ? {} : { agentPath: claudeCodePath }),
    runtime,
    env: { LOG_LEVEL: "info", ...(runtime === "docker" ? engineEnvironment() : {}) },
  };
  const limitMs = real ? LIMIT_MS.real : LIMIT_MS.scripted;
  if (github || orchestrate)
    return await (github ? demoOnGitHub : demoOrchestration)({
      ...common,
      real,
      within: (hub, work) => within(limitMs, hub, work),
    });
  return await demoPair(common, { real, limitMs, screen });
}

async function demoPair(
  common: HubOptions & { runtime: string },
  { real, limitMs, screen }: { real: boolean; limitMs: number; screen: Screen },
): Promise<number> {
  const startedAt = performance.now();
  await using forge = await createGitForge({ token: DUMMY_TOKEN });
  await forge.repository(REPOSITORY, "greeter");
  await using hub = await startHub({ ...common, forge: { url: forge.url, token: DUMMY_TOKEN } });
  screen.opening({ hub: hub.url, forge: forge.url, runtime: common.runtime, real });
  const sessions = await within(limitMs, hub, () =>
    runPair({ hub, repository: REPOSITORY, screen }),
  );
  const verdict = await verify({ forge, repository: REPOSITORY, sessions });
  screen.closing({ sessions, verdict, durationMs: performance.now() - startedAt });
  return verdict.problems.length === 0 ? 0 : 1;
}

async function within<Result>(
  limitMs: number,
  hub: { output(): string },
  work: () => Promise<Result>,
): Promise<Result> {
  const late = new AbortController();
  const tooLong = async () => {
    await pause(limitMs, undefined, { signal: AbortSignal.any([late.signal, interrupted.signal]) });
    throw new Error(`the demo took longer than ${limitMs} ms`);
  };
  try {
    return await Promise.race([work(), tooLong()]);
  } catch (error) {
    interrupted.signal.throwIfAborted();
    throw new DemoFailed(hub.output().slice(-SAID_CHARS), error);
  } finally {
    late.abort();
  }
}

/** Which engine and which image, as the hub itself would be told. */
function engineEnvironment(): Record<string, string> {
  const names = ["DOCKER_HOST", "CLAUDE_CONTAINER_IMAGE"];
  const given = names.map((name) => [name, process.env[name] ?? ""] as const);
  return Object.fromEntries(given.filter(([, value]) => value !== ""));
}

const { values } = parseArgs({
  options: {
    real: { type: "boolean", default: false },
    github: { type: "boolean", default: false },
    orchestrate: { type: "boolean", default: false },
    runtime: { type: "string" },
  },
});
try {
  process.exitCode = await demo(values);
} catch (error) {
  if (error instanceof Interrupted) process.exitCode = 130;
  else {
    process.exitCode = 1;
    const { problem } = createScreen(process.stdout);
    if (error instanceof HubEnded) problem(`The demo's hub could not start: ${error.reason}.`);
    else if (error instanceof DemoFailed) {
      process.stderr.write(`${error.said}\n`);
      problem(`The demo failed (above: what its hub said last): ${error.message}`);
    } else throw error;
  }
}
process.exit();
