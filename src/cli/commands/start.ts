import { Option } from "commander";
import type { Command } from "commander";
import { SESSION_TYPES } from "../../core/session-words.ts";
import { wholeFrom, withConnection } from "./options.ts";
import type { ConnectionOptions } from "./options.ts";

export interface StartOptions extends ConnectionOptions {
  type: string;
  issue?: number;
  pr?: number | true;
  branch?: string;
  dependsOn?: string[];
  memory?: string;
  cpu?: number;
  pids?: number;
  budget?: string;
  budgetTokens?: number;
  minutes?: string;
  timeout?: number;
  start: boolean;
  follow?: boolean;
  json?: boolean;
}

export function addStart(program: Command): void {
  const command = program
    .command("start")
    .description("start a session")
    .argument(
      "<repo>",
      "repository, as owner/name; an owner that is not named is DEFAULT_GITHUB_OWNER",
    )
    .argument("<prompt>", "what is to be done")
    .addOption(
      new Option("--type <type>", "what kind of work it is")
        .choices(SESSION_TYPES)
        .default("implementation"),
    )
    .addOption(
      new Option("-i, --issue <number>", "the issue that it is about")
        .argParser(wholeFrom(1))
        .conflicts("pr"),
    )
    .option("-p, --pr [number]", "the pull request that it is about", wholeFrom(1))
    .option("-b, --branch <branch>", "branch to begin from, rather than the default branch")
    .option("--depends-on <id...>", "sessions that have to complete before")
    .option("-f, --follow", "show its log, and wait for its end")
    .option("--no-start", "make it, and let it wait for `recover` or the API")
    .option("--json", "print the session as JSON; with --follow one event a line")
    .optionsGroup("Limits:")
    .option("-m, --memory <size>", "memory of its sandbox, as 2g")
    .option("-c, --cpu <shares>", "share of the processors, 1024 is usual", wholeFrom(2))
    .option("--pids <number>", "processes in its sandbox", wholeFrom(16))
    .option("--budget <dollars>", "what its calls to the model may cost, as 2.50")
    .option("--budget-tokens <number>", "tokens that it may use", wholeFrom(1))
    .option("--minutes <number>", "how long its agent may work, as 30; a pause costs none")
    .option("--timeout <seconds>", "time limit, from the moment it gets a slot", wholeFrom(1));
  withConnection(command).action(
    async (repository: string, prompt: string, options: StartOptions) => {
      const { start } = await import("../sessions/start.ts");
      await start(repository, prompt, options);
    },
  );
}
