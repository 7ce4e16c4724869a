import type { Command } from "commander";
import { DIR } from "./options.ts";

interface SetupOptions {
  hubUrl: string;
  organization?: string;
  server?: string;
  name?: string;
  port?: string;
  token?: boolean;
  repository?: string[];
  again?: boolean;
  dir?: string;
}

/** Who the hub is on GitHub. */
export function addGitHub(program: Command): void {
  const github = program
    .command("github")
    .description("give the hub an account on GitHub, and look at it");
  github
    .command("setup")
    .description("make the App with one page in a browser, and keep its keys")
    .requiredOption("--hub-url <url>", "where GitHub reaches the hub, as https://HOST")
    .option("--organization <name>", "the organisation that owns the App, rather than you")
    .option("--server <url>", "a GitHub Enterprise Server (GITHUB_SERVER_URL)")
    .option("--name <name>", "the App's name, by which it is mentioned; else GitHub asks for it")
    .option("--port <number>", "port of the page on loopback; any free one when it is missing")
    .option("--token", "take a person's token in place of an App; it is asked for")
    .option("--repository <owner/name...>", "with --token: where to make the webhook")
    .option("--again", "although the hub is an App already")
    .option(...DIR)
    .action(async ({ dir, again = false, token = false, ...options }: SetupOptions) => {
      const flags = { CLAUDE_HUB_DIR: dir };
      if (token) {
        const { setUpToken } = await import("../github/setup-token.ts");
        return await setUpToken(flags, { ...options, again });
      }
      const { setUpGitHub } = await import("../github/setup.ts");
      return await setUpGitHub(flags, { ...options, again });
    });
  github
    .command("status")
    .description("ask GitHub who the hub is there, and what is missing")
    .option(...DIR)
    .action(async ({ dir }: { dir?: string }) => {
      const { showGitHub } = await import("../github/setup.ts");
      await showGitHub({ CLAUDE_HUB_DIR: dir });
    });
}
