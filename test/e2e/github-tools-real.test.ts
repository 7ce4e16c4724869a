import { expect, test } from "vitest";
import { z } from "zod";
import { BOT, openGitHubHouse } from "../kit/bot/github-house.ts";
import type { GitHubHouse } from "../kit/bot/github-house.ts";
import { REPOSITORY } from "../kit/hub/house.ts";
import { Scenario } from "../kit/model/scenario.ts";

const report = (step: string, status: string) => ({
  name: "mcp__hub__report_progress",
  input: { step, plan: [{ text: "Read the greeter", status }] },
});

const scenario = Scenario.parse({
  conversations: [
    {
      match: "Greet louder",
      steps: [
        { text: "I make a plan.", toolCalls: [report("Reading", "in_progress")] },
        {
          toolCalls: [
            {
              name: "Bash",
              input: {
                command:
                  "echo loud > loud.md && git add loud.md && git commit -q -m Loud && git push origin HEAD",
                description: "Write",
              },
            },
          ],
        },
        {
          toolCalls: [
            {
              name: "mcp__hub__create_pull_request",
              input: { title: "Greet louder", body: "It is loud now." },
            },
            report("Done", "completed"),
          ],
        },
        { structured: { summary: "It greets louder.", nextSteps: [] } },
      ],
    },
    {
      match: "How to greet",
      steps: [
        {
          toolCalls: [
            report("Thinking", "in_progress"),
            { name: "mcp__hub__comment", input: { body: "A word beside the plan." } },
          ],
        },
        { structured: { summary: "With a bow.", nextSteps: [] } },
      ],
    },
  ],
});

test("Claude Code uses the hub's tools, also where it may only read", async () => {
  await using house = await openGitHubHouse({ agent: "real", scenario });
  const servers = { evil: { command: "touch", args: ["/tmp/never"] } };
  await house.repository.push({
    by: "ada",
    branch: "main",
    files: {
      ".mcp.json": JSON.stringify({ mcpServers: servers }),
      ".claude/settings.json": JSON.stringify({ enableAllProjectMcpServers: true }),
    },
  });
  const ada = house.github.as("ada");
  const own = (number: number) =>
    house.comments(number).filter(({ author }) => author === house.app.bot.login);
  const work = await ada.openIssue(REPOSITORY, {
    title: "Quiet",
    body: `${BOT} Greet louder`,
  });
  const done = await house.said(work.number, "**Done**", 90_000);
  expect(done).toContain("- [x] Read the greeter");
  const pulls = house.pulls().filter(({ body }) => body.includes(`Fixes #${work.number}`));
  expect(pulls).toMatchObject([{ title: "Greet louder", isDraft: true }]);
  expect(pulls[0]?.body).toContain("It is loud now.");
  expect(own(work.number)).toHaveLength(1);

  // What the repository lists is no server of the agent's.
  const init = await initialized(house);
  expect(init.filter((name) => name.startsWith("mcp__")).toSorted()).toEqual([
    "mcp__hub__add_labels",
    "mcp__hub__comment",
    "mcp__hub__create_pull_request",
    "mcp__hub__report_progress",
  ]);

  await house.repository.push({ by: "ada", branch: "rude", files: { "rude.md": "r\n" } });
  const plan = await ada.openPull(REPOSITORY, {
    title: "Rude",
    head: "rude",
    body: `${BOT} plan How to greet`,
  });
  const planned = await house.said(plan.number, "**Done**", 90_000);
  expect(planned).toContain("- [ ] **Read the greeter**");
  expect(own(plan.number).map(({ body }) => body.split("\n")[0])).toContain(
    "A word beside the plan.",
  );
});

/** Tools of the first agent. */
async function initialized({ hub }: GitHubHouse): Promise<string[]> {
  const listed = await hub.claude({ type: "session.list" });
  const { sessions } = z
    .object({ sessions: z.array(z.object({ id: z.string() })) })
    .parse(listed.body.data);
  const events = await hub.events(sessions[0]?.id ?? "");
  const body = events.find(({ kind }) => kind === "agent.initialized")?.body;
  return z.array(z.string()).parse(body?.["tools"]);
}
