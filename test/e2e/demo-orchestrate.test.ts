import { expect, test } from "vitest";
import { verify } from "../../demo/orchestrate/verify.ts";
import { watchRequest } from "../../demo/orchestrate/watch.ts";
import { openGitHubHouse } from "../kit/bot/github-house.ts";
import { REPOSITORY } from "../kit/hub/house.ts";
import { readScenario } from "../kit/model/scenario.ts";

const SCENARIO = new URL("../../demo/orchestrate/scenario.json", import.meta.url);

test(
  "the demo's graph is true: a request split over four, two of them side by side, merged, one pull request",
  { timeout: 240_000 },
  async () => {
    const scenario = await readScenario(SCENARIO);
    await using house = await openGitHubHouse({ agent: "real", runtime: "bubblewrap", scenario });
    let shown = 0;
    const view = await watchRequest(house.hub, REPOSITORY, () => (shown += 1));
    expect((await verify(house.hub, house.repository, view)).problems).toEqual([]);
    expect(view.sessions).toHaveLength(6);
    expect(shown).toBeGreaterThan(3);
    expect(house.github.takeInvalid()).toEqual([]);
  },
);
