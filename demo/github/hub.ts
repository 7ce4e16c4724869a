import { accountOn, deliverTo } from "../../test/kit/bot/github-account.ts";
import { createGitHub } from "../../test/kit/github/github.ts";
import { startHub } from "../../test/kit/hub/hub.ts";
import type { HubOptions } from "../../test/kit/hub/hub.ts";

const REPOSITORY = "octo/greeter";
export type DemoHubOptions = Pick<HubOptions, "runtime" | "agentPath" | "model" | "env">;

/** Of a story that is told on such a hub. */
export interface DemoOptions extends DemoHubOptions {
  real: boolean;
  /** Ends it when it takes too long. */
  within<Result>(hub: { output(): string }, work: () => Promise<Result>): Promise<Result>;
}

/** A hub that is an App on a GitHub of the demo's own. */
export async function openHubOnGitHub(options: DemoHubOptions) {
  await using parts = new AsyncDisposableStack();
  const github = parts.use(await createGitHub());
  const repository = await github.repository(REPOSITORY, {
    files: "greeter",
    collaborators: { ada: "write" },
  });
  const app = github.app();
  github.install(app, "octo");
  const hub = parts.use(
    await startHub({
      ...options,
      env: { ...options.env, ...accountOn(github, app) },
    }),
  );
  deliverTo(app.hook, hub);
  const all = parts.move();
  return {
    github,
    repository,
    app,
    hub,
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}
