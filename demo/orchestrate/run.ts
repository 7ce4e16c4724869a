import { openHubOnGitHub } from "../github/hub.ts";
import type { DemoOptions } from "../github/hub.ts";
import { createGraphScreen } from "./screen.ts";
import { watchRequest } from "./watch.ts";
import { verify } from "./verify.ts";

/** One request, done by four agents that a fifth one coordinates; answers the exit code. */
export async function demoOrchestration(options: DemoOptions): Promise<number> {
  const { real, within, ...hubOptions } = options;
  const startedAt = performance.now();
  const screen = createGraphScreen(process.stdout);
  await using house = await openHubOnGitHub({
    ...hubOptions,
    env: { ...hubOptions.env, CLAUDE_HUB_AUTO_LABEL: "off" },
  });
  const { hub, github } = house;
  const runtime = options.runtime ?? "process";
  screen.opening({ hub: hub.url, github: github.url, runtime, real });
  const view = await within(hub, () => watchRequest(hub, house.repository.name, screen.graph));
  const verdict = await verify(hub, house.repository, view);
  screen.closing({ verdict, durationMs: performance.now() - startedAt });
  return verdict.problems.length === 0 ? 0 : 1;
}
