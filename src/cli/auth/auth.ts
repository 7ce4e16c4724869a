import { environment } from "../../config/environment.ts";
import { dataDirectory, loadConfig } from "../../config/config.ts";
import type { Config } from "../../config/config.ts";
import { changeHubEnv } from "../../config/hub-env.ts";
import { createRedaction } from "../../core/redaction.ts";
import { tryModel } from "../../gateway/model/trial.ts";
import { requireAgent } from "../agent-path.ts";
import { WAYS } from "./ways.ts";
import type { Way } from "./ways.ts";
import { createPrompt } from "../prompt.ts";
import type { Prompt } from "../prompt.ts";

type Flags = Record<string, string | undefined>;

/** Sets a way to the model up, and tries it; what does not work is kept only if the person says so. */
export async function setUp(flags: Flags, named: string | undefined): Promise<void> {
  using prompt = createPrompt(process.stdin, process.stdout);
  await reporting(async () => {
    const way = named === undefined ? await chooseWay(prompt) : wayNamed(named);
    const dir = dataDirectory({ flags });
    const change = await WAYS[way].ask(prompt);
    const written = await changeHubEnv(dir, change);
    try {
      for (const name of [...Object.keys(change.values), ...Object.keys(change.secrets)])
        if (environment[name] !== undefined && environment[name] !== change.values[name])
          prompt.say(
            `${name} is set in the environment as well, which goes before ${dir}/hub.env.`,
          );
      const works = await tryAndTell(loadConfig({ flags }));
      if (!works && !(await isWanted(prompt))) {
        await written.undo();
        process.exitCode = 1;
        return;
      }
    } catch (error) {
      await written.undo();
      throw error;
    }
    await written.settle();
    prompt.say(`Written to ${dir}/hub.env; a running hub takes it up when it is restarted.`);
  });
}

/** Says which way is configured; asks nobody. */
export async function showStatus(flags: Flags): Promise<void> {
  await reporting(() => {
    const { model } = loadConfig({ flags });
    process.stdout.write(`${describe(model)}\n`);
    return Promise.resolve();
  });
}

export async function tryConfigured(flags: Flags): Promise<void> {
  await reporting(async () => {
    if (!(await tryAndTell(loadConfig({ flags })))) process.exitCode = 1;
  });
}

async function chooseWay(prompt: Prompt): Promise<Way> {
  const ways = wayNames();
  const chosen = await prompt.choose(
    "How shall agents reach their model?",
    ways.map((way) => WAYS[way].title),
  );
  return ways[chosen] ?? "api-key";
}

function wayNamed(name: string): Way {
  const way = wayNames().find((one) => one === name);
  if (way === undefined)
    throw new Error(`there is no way ${JSON.stringify(name)}; there are ${wayNames().join(", ")}`);
  return way;
}

function wayNames(): Way[] {
  return ["api-key", "bedrock", "vertex", "subscription"];
}

async function tryAndTell(config: Config): Promise<boolean> {
  const { model, secrets } = config;
  process.stdout.write(`${describe(model)}\ntrying it with one small call …\n`);
  const trial = await tryModel(model, () => requireAgent(config));
  if (trial.ok) {
    process.stdout.write(`it works (${trial.model})\n`);
    return true;
  }
  // Answers may quote what was sent.
  const redaction = createRedaction(Object.values(secrets).filter((secret) => secret !== null));
  const { reason, hint } = trial;
  process.stderr.write(`it does not work: ${redaction.text(reason)}\n`);
  if (hint !== null) process.stderr.write(`what may help: ${hint}\n`);
  return false;
}

async function isWanted(prompt: Prompt): Promise<boolean> {
  const answer = await prompt.ask("Keep these settings all the same? (yes or no)", "no");
  return /^y(es)?$/i.test(answer);
}

function describe({ access }: Config["model"]): string {
  const at = `at ${access.baseUrl}`;
  switch (access.form) {
    case "anthropic":
      return `Anthropic's API ${at}, ${access.apiKey === null ? "without a key: ANTHROPIC_API_KEY is not set" : "with a key"}`;
    case "subscription":
      return `Anthropic's API ${at}, with a Claude subscription (${access.token === null ? `the login in ${access.hostDir ?? ""}` : "a token"})`;
    case "bedrock": {
      const with_ =
        access.bearerToken !== null
          ? "an API key"
          : access.profile !== null
            ? `the profile ${access.profile}`
            : access.keys !== null
              ? "an access key"
              : "AWS's standard chain";
      return `Amazon Bedrock in ${access.region} ${at}, with ${with_}`;
    }
    case "vertex":
      return `Google Vertex AI in ${access.region} ${at}, project ${access.projectId}, with ${access.credentialsFile ?? "Google's standard chain"}`;
    default:
      return access satisfies never;
  }
}

async function reporting(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    process.stderr.write(`claude-hub: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}
