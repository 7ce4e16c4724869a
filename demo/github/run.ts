import { createGitHub } from "../../test/kit/github/github.ts";
import { startHub } from "../../test/kit/hub.ts";
import type { HubOptions } from "../../test/kit/hub.ts";
import { createStoryScreen } from "./screen.ts";
import { tellStory } from "./story.ts";
import type { Stage } from "./story.ts";
import { verify } from "./verify.ts";

const REPOSITORY = "octo/greeter";

/** The whole story on a GitHub of its own; answers the exit code. */
export async function demoOnGitHub(
  options: Pick<HubOptions, "runtime" | "agentPath" | "model" | "env"> & {
    real: boolean;
    /** Ends it when it takes too long. */
    within<Result>(hub: { output(): string }, work: () => Promise<Result>): Promise<Result>;
  },
): Promise<number> {
  const { real, within, ...hubOptions } = options;
  const startedAt = performance.now();
  const screen = createStoryScreen(process.stdout);
  await using github = await createGitHub();
  const repository = await github.repository(REPOSITORY, {
    files: "greeter",
    collaborators: { ada: "write" },
  });
  const app = github.app();
  github.install(app, "octo");
  await using hub = await startHub({
    ...hubOptions,
    env: {
      ...hubOptions.env,
      GITHUB_SERVER_URL: github.url,
      GITHUB_API_URL: github.apiUrl,
      GITHUB_APP_ID: String(app.id),
      GITHUB_APP_PRIVATE_KEY: app.privateKey,
      GITHUB_WEBHOOK_SECRET: app.webhookSecret,
      // Nobody else is on this GitHub, so it needs no care.
      CLAUDE_HUB_FORGE_THROTTLE: "false",
    },
  });
  app.hook.url = `${hub.url}/api/webhooks/github`;
  app.hook.active = true;
  const stage: Stage = { github, app, repository, bot: `@${app.slug}` };
  const runtime = options.runtime ?? "process";
  screen.opening({ hub: hub.url, github: github.url, runtime, real });
  const told = await within(hub, () => tellStory(stage, screen));
  const verdict = await verify(stage, told);
  screen.closing({ told, verdict, durationMs: performance.now() - startedAt });
  return verdict.problems.length === 0 ? 0 : 1;
}
