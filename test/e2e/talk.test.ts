import { expect, test } from "vitest";
import { z } from "zod";
import { openHouse, REPOSITORY, session } from "../kit/hub/house.ts";
import type { TestHub } from "../kit/hub/hub.ts";
import type { Scenario } from "../kit/model/scenario.ts";
import { standIn } from "../kit/agent/stand-in.ts";
import { waitFor } from "../kit/wait.ts";

const Answer = z.looseObject({ id: z.string().optional(), detail: z.string().optional() });

async function post(hub: TestHub, path: string, body?: unknown) {
  const response = await hub.fetch(`/api/v1/sessions/${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: Answer.parse(await response.json()) };
}

async function bodiesOf(hub: TestHub, id: string, kind: string) {
  return (await hub.events(id)).filter((event) => event.kind === kind).map(({ body }) => body);
}

const heard = async (hub: TestHub, id: string) =>
  (await bodiesOf(hub, id, "message.written"))
    .map(({ text }) => z.string().parse(text))
    .filter((text) => text.startsWith("heard:"));

test("what a session is told reaches its agent once, and in order, and not when it has ended", async () => {
  await using house = await openHouse();
  const { hub, forge } = house;
  const made = await hub.create(session(`Wait.\n${standIn({ hear: true }, { hear: true })}`));
  // Before it begins: kept for then.
  const early = await post(hub, `${made.id}/messages`, { text: "Early\u200b bird" });
  expect(early).toMatchObject({ status: 202, body: { id: expect.any(String) } });
  expect(await post(hub, `${made.id}/interrupt`)).toMatchObject({ status: 409 });
  await hub.start(made.id);
  await waitFor(async () => (await heard(hub, made.id)).length === 1, { timeoutMs: 60_000 });
  // The hub dies between taking a message and passing it on, or just after; either way it arrives once.
  const work = standIn({ write: { path: "told.txt", content: "x" } }, { commit: "Do as told" });
  const told = await post(hub, `${made.id}/messages`, { text: `Now this. ${work}` });
  expect(told.status).toBe(202);
  await hub.kill();
  await hub.restart();
  expect(await hub.until(made.id)).toMatchObject({ status: "completed", error: null });
  const texts = await heard(hub, made.id);
  expect(texts).toHaveLength(2);
  const tag = made.id.slice(-12);
  expect(texts[0]).toBe(`heard: <requirements-${tag}>\nEarly bird\n</requirements-${tag}>`);
  expect(texts[1]).toContain("Now this.");
  expect(await bodiesOf(hub, made.id, "message.delivered")).toEqual([
    { id: early.body.id },
    { id: told.body.id },
  ]);
  expect(await bodiesOf(hub, made.id, "message.sent")).toMatchObject([
    { id: early.body.id, text: "Early bird", sender: "api" },
    { id: told.body.id },
  ]);
  const branch = `claude/implementation-${made.id.slice(-8)}`;
  expect(await forge.git(REPOSITORY, "log", "--format=%s", "-1", branch)).toBe("Do as told");
  const late = await post(hub, `${made.id}/messages`, { text: "Too late" });
  expect(late.status).toBe(409);
  expect(late.body.detail).toContain("continue it");
});

test("what is too much, too long or cannot be seen is refused", async () => {
  await using house = await openHouse();
  const { hub } = house;
  const made = await hub.create(session("Never started."));
  const send = (text: unknown) => post(hub, `${made.id}/messages`, { text });
  for (const text of ["", "x".repeat(20_001), "\u200b\u{e0041}", "a\u0000b", 7])
    expect((await send(text)).status).toBe(400);
  expect((await send("x".repeat(3_000_000))).status).toBe(413);
  const unknown = await post(hub, "018f0000-0000-7000-8000-000000000000/messages", { text: "x" });
  expect(unknown.status).toBe(404);
  const answers = await Promise.all(Array.from({ length: 60 }, (_, at) => send(`No ${at}`)));
  const statuses = answers.map(({ status }) => status);
  expect(statuses.filter((status) => status === 202)).toHaveLength(50);
  expect(statuses.filter((status) => status === 429)).toHaveLength(10);
  await hub.fetch(`/api/v1/sessions/${made.id}/cancel`, { method: "POST" });
  expect(await bodiesOf(hub, made.id, "message.lost")).toEqual([{ count: 50 }]);
  expect(await statusWith(hub, made.id, "somebody-else")).toBe(401);
});

test("a token speaks only to sessions of its repositories, and one that reads to none", async () => {
  await using house = await openHouse();
  const { hub } = house;
  const made = await hub.create(session("Never started."));
  const tokenWith = async (scopes: string[], repositories: string[]) => {
    const response = await hub.fetch("/api/v1/tokens", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ name: "test", scopes, repositories }),
    });
    return z.object({ token: z.string() }).parse(await response.json()).token;
  };
  const own = await tokenWith(["write"], [REPOSITORY]);
  const other = await tokenWith(["write"], ["octo/other"]);
  const reader = await tokenWith(["read"], [REPOSITORY]);
  expect(await statusWith(hub, made.id, other)).toBe(404);
  expect(await statusWith(hub, made.id, reader)).toBe(403);
  expect(await statusWith(hub, made.id, own)).toBe(202);
  expect(await bodiesOf(hub, made.id, "message.sent")).toMatchObject([
    { text: "x", sender: expect.stringMatching(/^token /) },
  ]);
});

async function statusWith(hub: TestHub, id: string, token: string): Promise<number> {
  const response = await hub.fetch(`/api/v1/sessions/${id}/messages`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: '{"text":"x"}',
  });
  await response.body?.cancel();
  return response.status;
}

test("one that is interrupted waits for a message, and ends as cancelled when none comes", async () => {
  await using house = await openHouse({ env: { CLAUDE_HUB_IDLE_MS: "1500" } });
  const { hub } = house;
  const made = await hub.create(session(`Wait.\n${standIn({ hear: true })}`));
  await hub.start(made.id);
  await hub.until(made.id, { statuses: ["running"] });
  const stopped = await post(hub, `${made.id}/interrupt`);
  expect(stopped.status).toBe(202);
  expect(await hub.until(made.id)).toMatchObject({
    status: "cancelled",
    error: expect.stringContaining("Interrupted on request"),
  });
  expect(await bodiesOf(hub, made.id, "turn.interrupted")).toEqual([{ id: stopped.body.id }]);
});

const Output = z.object({ summary: z.string() });

async function summaryOf(hub: TestHub, id: string): Promise<string> {
  const { body } = await hub.claude({ type: "session.output", sessionId: id });
  return Output.parse(body.data?.["output"]).summary;
}

type Step = Scenario["conversations"][number]["steps"][number];

function step(more: Partial<Step>): Step {
  return { toolCalls: [], delayMs: 0, pieceMs: 0, hangUp: false, ...more };
}

const many = (one: Step) => Array.from({ length: 80 }, () => one);

const bash = (command: string) => ({ name: "Bash", input: { command, description: "x" } });
const done = (summary: string) => ({ structured: { summary, nextSteps: [] } });

test(
  "the real Claude Code does as it is told in the middle, and after an interruption",
  { timeout: 180_000 },
  async () => {
    await using house = await openHouse({
      agent: "real",
      scenario: {
        conversations: [
          // Whatever step it has come to when it is told.
          { match: "Mind the gap", steps: many(step(done("I did what I was told."))) },
          { match: "The first task", steps: many(step({ toolCalls: [bash("sleep 0.2")] })) },
          {
            match: "The second task",
            steps: [
              step({ toolCalls: [bash("until [ -e never ]; do sleep 0.1; done")] }),
              step({ toolCalls: [bash("echo 2 > b.txt && git add -A && git commit -qm 'Add b'")] }),
              step(done("I did the other thing.")),
            ],
          },
        ],
      },
    });
    const { hub, forge, model } = house;
    const begin = async (text: string) => {
      const made = await hub.create(session(text));
      await hub.start(made.id);
      await waitFor(async () => (await bodiesOf(hub, made.id, "tool.called")).length > 0, {
        timeoutMs: 60_000,
      });
      return made.id;
    };
    const first = await begin("The first task");
    const { body } = await post(hub, `${first}/messages`, { text: "Mind the gap" });
    expect(await hub.until(first)).toMatchObject({ status: "completed", error: null });
    expect(await bodiesOf(hub, first, "message.delivered")).toEqual([{ id: body.id }]);
    expect(await summaryOf(hub, first)).toBe("I did what I was told.");
    expect(JSON.stringify(model.requests)).toContain(`<requirements-${first.slice(-12)}>`);

    const second = await begin("The second task");
    await post(hub, `${second}/messages`, { text: "Do the other thing", interrupt: true });
    expect(await hub.until(second)).toMatchObject({ status: "completed", error: null });
    expect(await bodiesOf(hub, second, "turn.interrupted")).toHaveLength(1);
    const branch = `claude/implementation-${second.slice(-8)}`;
    expect(await forge.git(REPOSITORY, "log", "--format=%s", "-1", branch)).toBe("Add b");
    expect(await summaryOf(hub, second)).toBe("I did the other thing.");
  },
);
