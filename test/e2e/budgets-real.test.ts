import { expect, test } from "vitest";
import { openHouse, REPOSITORY, session } from "../kit/hub/house.ts";
import type { Scenario } from "../kit/model/scenario.ts";
import { Step } from "../kit/model/scenario.ts";

const LIMIT = 20_000;
/** Each call of the model: an eighth of all. */
const usage = { inputTokens: LIMIT / 8 - 100, outputTokens: 100 };
const write = (name: string) => ({
  name: "Bash",
  input: { command: `echo x > ${name} && git add -A && git commit -qm "Add ${name}"` },
});

/** What it is told at four fifths is the only thing that has this model finish. */
const SCENARIO: Scenario = {
  conversations: [
    {
      match: "is nearly used up",
      steps: Array.from({ length: 12 }, () =>
        Step.parse({
          structured: { summary: "I finished when I was told.", nextSteps: [] },
          usage,
        }),
      ),
    },
    {
      match: "The endless task",
      steps: Array.from({ length: 12 }, (_, at) =>
        Step.parse({ toolCalls: [write(`${at}.txt`)], usage, delayMs: 200 }),
      ),
    },
  ],
};

test(
  "the real Claude Code is told at four fifths of its budget, and finishes with its work kept",
  { timeout: 180_000 },
  async () => {
    await using house = await openHouse({ agent: "real", scenario: SCENARIO });
    const { hub, forge } = house;
    const options = { budget: { tokens: LIMIT } };
    const made = await hub.create(session("The endless task", { options }));
    await hub.start(made.id);
    expect(await hub.until(made.id, { timeoutMs: 120_000 })).toMatchObject({
      status: "completed",
      error: null,
    });
    const events = await hub.events(made.id);
    const bodies = (kind: string) =>
      events.filter((event) => event.kind === kind).map(({ body }) => body);
    expect(bodies("budget.warned")).toMatchObject([
      { scope: "session", what: "tokens", limit: LIMIT },
    ]);
    expect(bodies("budget.exceeded")).toEqual([]);
    expect(bodies("message.sent")).toMatchObject([{ sender: "hub" }]);
    expect(bodies("message.delivered")).toHaveLength(1);
    expect(bodies("session.completed")).toEqual([{ summary: "I finished when I was told." }]);
    const branch = `claude/implementation-${made.id.slice(-8)}`;
    const subjects = await forge.git(REPOSITORY, "log", "--format=%s", branch);
    // Told after the sixth or seventh call of eight.
    expect(subjects.split("\n").length).toBeGreaterThanOrEqual(6);
  },
);
