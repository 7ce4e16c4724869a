import { accountOn, deliverTo } from "../../test/kit/bot/github-account.ts";
import { createGitHub } from "../../test/kit/github/github.ts";
import type { LocalGitHub } from "../../test/kit/github/github.ts";
import { startHub } from "../../test/kit/hub/hub.ts";
import type { TestHub } from "../../test/kit/hub/hub.ts";
import type { TestEngine } from "../../test/kit/runtimes/engine.ts";
import { benchSettings } from "../hub.ts";

export interface Bench extends AsyncDisposable {
  github: LocalGitHub;
  hub: TestHub;
  names: string[];
  secret: string;
  bot: string;
}

/** A hub with its embedded database, as it is installed, that is an App on a GitHub of its own. */
export async function openBench(options: {
  agentPath: string;
  repositories: number;
  /** Makes containers; else sandboxes are plain processes. */
  engine?: TestEngine;
  slots?: number;
  perRepository?: number;
}): Promise<Bench> {
  await using parts = new AsyncDisposableStack();
  const github = parts.use(await createGitHub());
  const names = Array.from({ length: options.repositories }, (_, at) => `octo/greeter-${at + 1}`);
  for (const name of names)
    await github.repository(name, { files: "greeter", collaborators: { ada: "write" } });
  const app = github.app();
  github.install(app, "octo");
  const hub = parts.use(
    await startHub({
      agentPath: options.agentPath,
      ...(options.engine === undefined
        ? {}
        : { runtime: "docker" as const, engine: options.engine }),
      env: {
        ...benchSettings(options),
        ...accountOn(github, app),
        CLAUDE_HUB_AUTO_LABEL: "off",
      },
    }),
  );
  deliverTo(app.hook, hub);
  const all = parts.move();
  return {
    github,
    hub,
    names,
    secret: app.webhookSecret,
    bot: `@${app.slug}`,
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

/** Somebody opens an issue, and mentions the bot below it. */
export async function mention({ github, bot }: Bench, name: string, words: string) {
  const ada = github.as("ada");
  const { number } = await ada.openIssue(name, { title: "It hurts", body: "Here." });
  const askedAt = Date.now();
  const { id } = await ada.comment(name, number, `${bot} ${words}`);
  return { number, id, askedAt };
}
