import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";
import { claudeCodePath } from "../test/kit/claude-code.ts";
import { createGitForge } from "../test/kit/git-forge.ts";
import { startHub } from "../test/kit/hub.ts";
import type { TestHub } from "../test/kit/hub.ts";
import { readScenario } from "../test/kit/scenario.ts";
import { createScriptedModel } from "../test/kit/scripted-model.ts";
import { chooseRuntime, RUNTIMES } from "./runtime.ts";
import { createScreen } from "./screen.ts";
import { runPair } from "./pair.ts";
import { verify } from "./verify.ts";

const REPOSITORY = "octo/greeter";
const DUMMY_KEY = "no-key-is-needed";
const DUMMY_TOKEN = "token-of-the-demo-forge";
const LIMIT_MS = { scripted: 120_000, real: 900_000 };

/** The main job, for real: hub, database, sandboxes, git and Claude Code; only the model is scripted unless `--real`. */
async function demo(real: boolean, named: string | undefined): Promise<number> {
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
  const startedAt = performance.now();
  await using forge = await createGitForge({ token: DUMMY_TOKEN });
  await forge.repository(REPOSITORY, "greeter");
  await using model = await createScriptedModel({
    apiKey: DUMMY_KEY,
    scenario: await readScenario(new URL("scenario.json", import.meta.url)),
  });
  await using hub = await startHub({
    forge: { url: forge.url, token: DUMMY_TOKEN },
    model: real
      ? { url: process.env["ANTHROPIC_BASE_URL"] ?? "https://api.anthropic.com", apiKey: key ?? "" }
      : { url: model.url, apiKey: DUMMY_KEY },
    // Containers have their own.
    ...(runtime === "docker" ? {} : { agentPath: claudeCodePath }),
    runtime,
    env: { LOG_LEVEL: "info", ...(runtime === "docker" ? engineEnvironment() : {}) },
  });
  screen.opening({ hub: hub.url, forge: forge.url, runtime, real });
  const sessions = await within(real ? LIMIT_MS.real : LIMIT_MS.scripted, hub, () =>
    runPair({ hub, repository: REPOSITORY, screen }),
  );
  const verdict = await verify({ forge, repository: REPOSITORY, sessions });
  screen.closing({ sessions, verdict, durationMs: performance.now() - startedAt });
  return verdict.problems.length === 0 ? 0 : 1;
}

async function within<Result>(
  limitMs: number,
  hub: TestHub,
  work: () => Promise<Result>,
): Promise<Result> {
  const late = new AbortController();
  try {
    return await Promise.race([
      work(),
      pause(limitMs, undefined, { signal: late.signal }).then(() => {
        throw new Error(
          `the demo took longer than ${limitMs} ms; the hub said:\n${hub.output().slice(-4_000)}`,
        );
      }),
    ]);
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
  options: { real: { type: "boolean", default: false }, runtime: { type: "string" } },
});
process.exit(await demo(values.real, values.runtime));
