import { createGitHub } from "../../test/kit/github/github.ts";
import { startHub } from "../../test/kit/hub.ts";
import type { HubOptions } from "../../test/kit/hub.ts";

const REPOSITORY = "octo/greeter";
export type DemoHubOptions = Pick<HubOptions, "runtime" | "agentPath" | "model" | "env">;

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
      env: {
        ...options.env,
        GITHUB_SERVER_URL: github.url,
        GITHUB_API_URL: github.apiUrl,
        GITHUB_APP_ID: String(app.id),
        GITHUB_APP_PRIVATE_KEY: app.privateKey,
        GITHUB_WEBHOOK_SECRET: app.webhookSecret,
        // Nobody else is on this GitHub, so it needs no care.
        CLAUDE_HUB_FORGE_THROTTLE: "false",
      },
    }),
  );
  app.hook.url = `${hub.url}/api/webhooks/github`;
  app.hook.active = true;
  const all = parts.move();
  return {
    github,
    repository,
    app,
    hub,
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}
