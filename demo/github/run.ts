import { openHubOnGitHub } from "./hub.ts";
import type { DemoOptions } from "./hub.ts";
import { createStoryScreen } from "./screen.ts";
import { tellStory } from "./story.ts";
import type { Stage } from "./story.ts";
import { verify } from "./verify.ts";

/** The whole story on a GitHub of its own; answers the exit code. */
export async function demoOnGitHub(options: DemoOptions): Promise<number> {
  const { real, within, ...hubOptions } = options;
  const startedAt = performance.now();
  const screen = createStoryScreen(process.stdout);
  await using house = await openHubOnGitHub(hubOptions);
  const { github, repository, app, hub } = house;
  const stage: Stage = { github, app, repository, bot: `@${app.slug}` };
  const runtime = options.runtime ?? "process";
  screen.opening({ hub: hub.url, github: github.url, runtime, real });
  const told = await within(hub, () => tellStory(stage, screen));
  const verdict = await verify(stage, told);
  screen.closing({ told, verdict, durationMs: performance.now() - startedAt });
  return verdict.problems.length === 0 ? 0 : 1;
}
