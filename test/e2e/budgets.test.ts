import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { openHouse, REPOSITORY, session } from "../kit/hub/house.ts";
import type { House } from "../kit/hub/house.ts";
import { Step } from "../kit/model/scenario.ts";
import { standIn } from "../kit/agent/stand-in.ts";
import { waitFor } from "../kit/wait.ts";

/** Each call of the model: 100 tokens, for a price that is known. */
const USAGE = { inputTokens: 80, outputTokens: 20 };
const CALL_USD = (80 * 15 + 20 * 75) / 1_000_000;
const PROMPT = "Spend a little";
const spend = (calls: number) => ({ model: { text: PROMPT, maxTokens: 100, calls } });

let house: House;

const SCENARIO = {
  conversations: [
    { match: PROMPT, steps: [Step.parse({ text: "Spent.", usage: USAGE, delayMs: 20 })] },
  ],
};

beforeAll(async () => {
  house = await openHouse({
    env: { CLAUDE_HUB_MAX_SESSIONS_PER_REPOSITORY: "8" },
    scenario: SCENARIO,
  });
}, 120_000);

afterAll(() => house[Symbol.asyncDispose]());

const Use = z.object({ limit: z.number(), used: z.number(), remaining: z.number() });
const Budget = z.object({
  costUsd: Use.nullable(),
  tokens: Use.nullable(),
  minutes: Use.nullable(),
});

async function api(method: string, path: string, body?: unknown) {
  const answer = await house.hub.fetch(`/api/v1${path}`, {
    method,
    headers: { "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  return { status: answer.status, body: z.json().parse(JSON.parse(text)) };
}

async function budgetOf(path: string) {
  const { body } = await api("GET", path);
  return z.object({ budget: Budget }).parse(body).budget;
}

async function bodiesOf(id: string, kind: string) {
  return (await house.hub.events(id))
    .filter((event) => event.kind === kind)
    .map(({ body }) => body);
}

test(
  "at four fifths a session is told once, also by a hub that was killed; when all is used it ends, and its work is kept",
  { timeout: 120_000 },
  async () => {
    const { hub, forge } = house;
    const steps = standIn(
      { write: { path: "a.txt", content: "a" } },
      { commit: "Add a" },
      spend(8),
      { hear: true },
      { hear: true },
      spend(40),
      { sleepMs: 120_000 },
    );
    const made = await hub.create(
      session(`Work.\n${steps}`, { options: { budget: { tokens: 1_000 } } }),
    );
    await hub.start(made.id);
    await waitFor(async () => (await bodiesOf(made.id, "budget.warned")).length > 0, {
      timeoutMs: 60_000,
    });
    await hub.kill();
    await hub.restart();
    await waitFor(async () => (await bodiesOf(made.id, "message.delivered")).length > 0, {
      timeoutMs: 60_000,
    });
    expect(await budgetOf(`/sessions/${made.id}`)).toEqual({
      tokens: { limit: 1_000, used: 800, remaining: 200 },
      costUsd: null,
      minutes: null,
    });
    await api("POST", `/sessions/${made.id}/messages`, { text: "Spend the rest." });
    expect(await hub.until(made.id, { timeoutMs: 60_000 })).toMatchObject({
      status: "failed",
      error:
        "Session budget of 1000 tokens is used up (1000 of 1000 tokens): its agent was stopped",
    });
    expect(await bodiesOf(made.id, "budget.warned")).toEqual([
      { scope: "session", what: "tokens", limit: 1_000, used: 800 },
    ]);
    expect(await bodiesOf(made.id, "budget.exceeded")).toEqual([
      { scope: "session", what: "tokens", limit: 1_000, used: 1_000 },
    ]);
    const told = await bodiesOf(made.id, "message.sent");
    expect(told.map(({ sender }) => sender)).toEqual(["hub", "api"]);
    expect(told[0]?.["text"]).toContain("nearly used up (800 of 1000 tokens). Finish now");
    const branch = `claude/implementation-${made.id.slice(-8)}`;
    expect(await forge.git(REPOSITORY, "log", "--format=%s", "-1", branch)).toBe("Add a");
  },
);

test(
  "a budget of minutes is a session's time limit, and says so",
  { timeout: 60_000 },
  async () => {
    const { hub } = house;
    const made = await hub.create(
      session(`Wait.\n${standIn({ sleepMs: 120_000 })}`, {
        options: { budget: { minutes: 0.05 } },
      }),
    );
    await hub.start(made.id);
    expect(await hub.until(made.id, { timeoutMs: 50_000 })).toMatchObject({
      status: "failed",
      error: expect.stringContaining("Session budget of 0.05 minutes is used up"),
    });
  },
);

const View = z.object({
  state: z.string(),
  budget: Budget,
  sessions: z.array(
    z.object({
      sessionId: z.string(),
      taskId: z.string().nullable(),
      status: z.string(),
      error: z.string().nullable(),
    }),
  ),
});

function task(id: string, more: Record<string, unknown> = {}) {
  return {
    id,
    title: id,
    type: "analysis",
    requirements: `Spend.\n${standIn(spend(60), { sleepMs: 120_000 })}`,
    onFailure: "continue",
    ...more,
  };
}

test(
  "sessions of one orchestration that race for the last of its budget do not pass it by more than a call",
  { timeout: 180_000 },
  async () => {
    const limit = CALL_USD * 10;
    const plan = {
      tasks: [task("a"), task("b"), task("c"), task("d"), task("late", { needs: ["a"] })],
      pullRequest: false,
    };
    const project = { repository: REPOSITORY, requirements: "Spend together." };
    const ask = (budget: Record<string, number>, tasks: unknown[] = plan.tasks) =>
      api("POST", "/orchestrations", {
        project,
        autoStart: true,
        plan: { ...plan, tasks },
        options: { budget },
      });
    const tooMuch = await ask({ costUsd: 1 }, [task("a", { budget: { maxCostUsd: 2 } })]);
    expect(tooMuch).toMatchObject({
      status: 400,
      body: { detail: expect.stringContaining("plan.tasks.0.budget.maxCostUsd") },
    });

    const { body } = await ask({ costUsd: limit });
    const { orchestrationId } = z.object({ orchestrationId: z.string() }).parse(body);
    const path = `/orchestrations/${orchestrationId}`;
    const view = await waitFor(
      async () => {
        const seen = View.parse((await api("GET", path)).body);
        return ["completed", "failed", "cancelled"].includes(seen.state) ? seen : undefined;
      },
      { timeoutMs: 150_000 },
    );
    const used = view.budget.costUsd?.used ?? 0;
    expect(used).toBeGreaterThanOrEqual(limit * 0.999);
    expect(used).toBeLessThan(limit + CALL_USD * 1.001);
    expect(view.budget.costUsd).toMatchObject({ limit, remaining: 0 });
    let warned = 0;
    const ends = new Map(view.sessions.map((one) => [one.taskId, one]));
    for (const id of ["a", "b", "c", "d"]) {
      expect(ends.get(id)).toMatchObject({
        status: "failed",
        error: expect.stringMatching(/^Orchestration budget of .* dollars is used up/),
      });
      const told = await bodiesOf(ends.get(id)?.sessionId ?? "", "budget.warned");
      expect(told.length).toBeLessThanOrEqual(1);
      warned += told.length;
    }
    expect(warned).toBeGreaterThan(0);
    expect(ends.get("late")).toMatchObject({
      status: "cancelled",
      error: expect.stringContaining("was used up before it began"),
    });
  },
);

test(
  "what a repository may use on a day holds for all of its sessions, whoever began them, and is in the metrics",
  { timeout: 180_000 },
  async () => {
    await using other = await openHouse({
      env: { CLAUDE_HUB_REPOSITORY_DAY_MAX_TOKENS: "1000" },
      scenario: SCENARIO,
    });
    const { hub } = other;
    const steps = standIn(spend(60), { sleepMs: 120_000 });
    const made = [
      await hub.create(session(`A.\n${steps}`)),
      await hub.create(session(`B.\n${steps}`)),
    ];
    await Promise.all(made.map(({ id }) => hub.start(id)));
    for (const { id } of made)
      expect(await hub.until(id, { timeoutMs: 90_000 })).toMatchObject({
        status: "failed",
        error: expect.stringMatching(/(Session|Repository's day) budget of \d+ tokens is used up/),
      });
    const late = await hub.create(session("Late."));
    await hub.start(late.id);
    expect(await hub.until(late.id)).toMatchObject({
      status: "cancelled",
      error:
        "Its repository's budget for today (1000 tokens) was used up, or set aside, before it began",
    });
    const metrics = await (await hub.fetch("/metrics")).text();
    const [, used] =
      /^claude_hub_day_tokens\{repository="octo\/greeter"\} (\d+)$/m.exec(metrics) ?? [];
    expect(Number(used)).toBeGreaterThanOrEqual(1_000);
    expect(Number(used)).toBeLessThanOrEqual(1_100);
    expect(metrics).toContain('claude_hub_sessions{state="running"} 0\n');
    expect(metrics).toContain('claude_hub_day_stopped{repository="octo/greeter"} 2\n');
    const stranger = await hub.fetch("/metrics", { headers: { authorization: "Bearer nobody" } });
    expect(stranger.status).toBe(401);
  },
);
