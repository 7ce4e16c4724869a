import { expect, test } from "vitest";
import { coordinate, outcomeOf } from "../kit/hub/coordination.ts";
import { openGitHubHouse } from "../kit/bot/github-house.ts";
import { Scenario } from "../kit/model/scenario.ts";
import type { ScenarioInput } from "../kit/model/scenario.ts";

const child = (name: string, more: Record<string, unknown> = {}) => ({
  name: "mcp__hub__create_session",
  input: {
    title: `Write ${name}`,
    session_type: "implementation",
    requirements: `The ${name} greeting`,
    auto_start: true,
    ...more,
  },
});
const wait = (ids: string[]) => ({
  name: "mcp__hub__wait_for_session",
  input: { session_ids: ids },
});
const writes = (name: string): ScenarioInput["conversations"][number] => ({
  match: `The ${name} greeting\n</requirements`,
  steps: [
    {
      toolCalls: [
        { name: "Write", input: { file_path: `{{cwd}}/${name}.md`, content: `${name}\n` } },
      ],
    },
    { structured: { summary: `${name} is there.`, nextSteps: [] } },
  ],
});
const BOTH = ["{{result:0:session.id}}", "{{result:1:session.id}}"];
const THIRD = "{{result:2:session.id}}";

const scenario = Scenario.parse({
  conversations: [
    writes("french"),
    writes("german"),
    writes("both"),
    {
      match: "Bring the work of the sessions before this one together",
      steps: [
        {
          toolCalls: [
            {
              name: "Bash",
              input: {
                command:
                  "for b in $(git for-each-ref --format='%(refname)' refs/remotes/origin/claude); do git merge -q --no-edit $b; done",
                description: "Merge",
              },
            },
          ],
        },
        { structured: { summary: "All is together.", nextSteps: [] } },
      ],
    },
    {
      match: "Greet in two languages",
      steps: [
        { text: "Two can run side by side.", toolCalls: [child("french"), child("german")] },
        { toolCalls: [child("both", { dependencies: BOTH })] },
        { toolCalls: [wait([...BOTH, THIRD])] },
        { toolCalls: [{ name: "mcp__hub__get_session_output", input: { session_id: THIRD } }] },
        { structured: { summary: "Greetings in two languages, and both.", nextSteps: [] } },
      ],
    },
  ],
});

test(
  "Claude Code has a request done by three others, waits for them, and one pull request comes of it",
  { timeout: 240_000 },
  async () => {
    await using house = await openGitHubHouse({
      agent: "real",
      runtime: "bubblewrap",
      scenario,
      // One slot: who coordinates takes none.
      env: { CLAUDE_HUB_MAX_SESSIONS: "2" },
    });
    const { hub, model } = house;
    const id = await coordinate(hub, "Greet in two languages");
    const view = await outcomeOf(hub, id, 200_000);
    expect(view).toMatchObject({
      state: "completed",
      error: null,
      summary: "4 of 4 sessions completed",
    });
    const of = (title: string) => view.sessions.find((one) => one.title === title);
    const coordinator = view.sessions.find(({ role }) => role === "coordinator");
    const log = await hub.events(coordinator?.sessionId ?? "");
    const init = log.find(({ kind }) => kind === "agent.initialized")?.body;
    expect(init?.["tools"]).toEqual(
      expect.arrayContaining(["Read", "mcp__hub__create_session", "mcp__hub__wait_for_session"]),
    );
    expect(init?.["tools"]).not.toEqual(expect.arrayContaining(["Bash"]));
    // One call of the model for each step of the script, and none for the waiting.
    expect(log.filter(({ kind }) => kind === "model.called")).toHaveLength(5);
    expect(new Set(of("Write both")?.dependencies)).toEqual(
      new Set([of("Write french")?.sessionId, of("Write german")?.sessionId]),
    );
    // What the two had said stands in the prompt of the third.
    const prompts = model.requests.map(({ body }) => JSON.stringify(body));
    const third = prompts.find((text) => text.includes("The both greeting\\n</requirements"));
    expect(third).toContain("french is there.");
    expect(third).toContain("This is one part of a larger request");
    expect(house.pulls()).toMatchObject([
      { head: view.branch, isDraft: true, title: "Greet in two languages" },
    ]);
    expect(house.pulls()[0]?.body).toContain("Greetings in two languages, and both.");
    const diff = await hub.fetch(`/api/v1/sessions/${of("Integration")?.sessionId ?? ""}/diff`);
    const text = await diff.text();
    for (const name of ["french", "german", "both"]) expect(text).toContain(`+++ b/${name}.md`);
  },
);
