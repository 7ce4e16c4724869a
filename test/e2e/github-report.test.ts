import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { BOT, openGitHubHouse } from "../kit/bot/github-house.ts";
import type { GitHubHouse } from "../kit/bot/github-house.ts";
import { REPOSITORY } from "../kit/hub/house.ts";
import { standIn } from "../kit/agent/stand-in.ts";
import { waitFor } from "../kit/wait.ts";

const waits = { run: "until [ -e ~/on ]; do sleep 0.1; done" };

async function sessionOf(house: GitHubHouse, number: number): Promise<string> {
  const [id] = await house.sessionsOf(number);
  if (id === undefined) throw new Error(`nothing was asked on #${number}`);
  return id;
}

async function letGoOn(house: GitHubHouse, id: string): Promise<void> {
  const { containerId } = await house.hub.get(id);
  await writeFile(join(house.hub.dir, "sandboxes", containerId, "home", "on"), "");
}

/** Checks of the hub, as `name status conclusion session`. */
function checks({ app, repository }: GitHubHouse): string[] {
  return repository.state.suites
    .filter((suite) => suite.app.id === app.id)
    .flatMap(({ runs }) => runs)
    .map(({ name, status, conclusion, externalId }) =>
      [name, status, conclusion ?? "-", externalId].join(" "),
    );
}

test("who waits for a slot is told how many are before", async () => {
  await using house = await openGitHubHouse({
    env: { CLAUDE_HUB_MAX_SESSIONS: "1", CLAUDE_HUB_MAX_SESSIONS_PER_REPOSITORY: "1" },
  });
  const ada = house.github.as("ada");
  const ask = async (title: string) => {
    const body = `${BOT} ${title}\n${standIn(waits, { result: { summary: `${title}.` } })}`;
    return (await ada.openIssue(REPOSITORY, { title, body })).number;
  };
  const first = await ask("First");
  await house.said(first, "**Working**");
  const second = await ask("Second");
  await house.said(second, /\*\*Queued\*\* .*, until there is a free slot\./);
  const third = await ask("Third");
  expect(await house.said(third, "; one is before it")).toContain("- [ ] Stop this session");
  await letGoOn(house, await sessionOf(house, first));
  await house.said(first, "**Done**");
  await house.said(second, "**Working**");
  await house.said(third, /until there is a free slot\./);
  for (const number of [second, third]) {
    await house.said(number, "**Working**");
    await letGoOn(house, await sessionOf(house, number));
    await house.said(number, "**Done**");
  }
});

test("a session on a pull request has one check, also when the hub is killed, and it can be run again", async () => {
  await using house = await openGitHubHouse();
  const ada = house.github.as("ada");
  await house.repository.push({ by: "ada", branch: "topic", files: { "t.md": "t\n" } });
  const { number } = await ada.openPull(REPOSITORY, { title: "Topic", head: "topic" });
  const steps = standIn(waits, { result: { summary: "Looked @ada." } });
  await ada.comment(REPOSITORY, number, `${BOT} look\n${steps}`);
  const id = await waitFor(() => sessionOf(house, number).catch(() => undefined));
  await waitFor(() => checks(house).includes(`Claude: work in_progress - ${id}`));
  await house.said(number, "**Working**");
  await house.hub.kill();
  await letGoOnLater(house, id);
  await house.said(number, "**Done**", 60_000);
  await waitFor(() => checks(house).includes(`Claude: work completed success ${id}`));
  expect(checks(house)).toHaveLength(1);
  expect(house.comments(number).filter(({ author }) => author !== "ada")).toHaveLength(1);

  const run = house.repository.state.suites.flatMap(({ runs }) => runs)[0];
  expect(run?.output.summary).toContain("@\u2060ada");
  // Who may not ask for a session may not ask for another one.
  house.repository.rerun("tim", run?.id ?? 0);
  house.repository.rerun("ada", run?.id ?? 0);
  const second = await waitFor(() => checks(house)[1]?.split(" ").at(-1));
  await waitFor(() => checks(house).includes(`Claude: work in_progress - ${second}`));
  await letGoOn(house, second);
  await waitFor(() => checks(house)[1] === `Claude: work completed success ${second}`);
  expect(checks(house)).toHaveLength(2);
});

async function letGoOnLater(house: GitHubHouse, id: string): Promise<void> {
  await house.hub.restart();
  house.connect();
  await letGoOn(house, id);
}
