import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { runCli } from "../kit/hub/cli.ts";
import { openHouse, REPOSITORY, session } from "../kit/hub/house.ts";
import type { House } from "../kit/hub/house.ts";
import { HUB_SECRET } from "../kit/hub/hub.ts";
import { Step } from "../kit/model/scenario.ts";
import type { Scenario } from "../kit/model/scenario.ts";
import { standIn } from "../kit/agent/stand-in.ts";
import { waitFor } from "../kit/wait.ts";

let house: House;

beforeAll(async () => {
  house = await openHouse({
    env: { CLAUDE_HUB_MODEL_WAIT_MS: "1500" },
    scenario: { conversations: [limited("soon again", 429, "1"), limited("much later", 529, "4")] },
  });
}, 120_000);

afterAll(() => house[Symbol.asyncDispose]());

function limited(match: string, status: number, after: string): Scenario["conversations"][number] {
  const error = { status, type: "error", message: "Later", times: 1 };
  const headers = { "retry-after": after };
  return { match, steps: [Step.parse({ text: "Here.", error: { ...error, headers } })] };
}

const Answer = z.looseObject({
  status: z.union([z.string(), z.number()]).optional(),
  detail: z.string().optional(),
  pause: z
    .object({ at: z.string(), reason: z.string(), until: z.string().nullable() })
    .nullable()
    .optional(),
});

async function api(method: string, path: string, body?: unknown) {
  const answer = await house.hub.fetch(`/api/v1/sessions/${path}`, {
    method,
    headers: { "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { code: answer.status, body: Answer.parse(await answer.json()) };
}

async function bodiesOf(id: string, kind: string) {
  return (await house.hub.events(id))
    .filter((event) => event.kind === kind)
    .map(({ body }) => body);
}

const cli = async (...args: string[]) =>
  await runCli(args, {
    cwd: house.hub.dir,
    env: { HOME: house.hub.dir, CLAUDE_HUB_URL: house.hub.url, CLAUDE_HUB_TOKEN: HUB_SECRET },
  });

const heard = async (id: string) =>
  (await bodiesOf(id, "message.written"))
    .map(({ text }) => z.string().parse(text))
    .filter((text) => text.startsWith("heard:"));

async function begun(options: Record<string, unknown>, ...more: Parameters<typeof standIn>) {
  const { hub } = house;
  const task = `Wait.\n${standIn({ hear: true }, ...more)}`;
  const made = await hub.create(session(task, { options }));
  expect(await api("POST", `${made.id}/pause`)).toMatchObject({
    code: 409,
    body: { detail: "The session is not at work (status: initializing)" },
  });
  await hub.start(made.id);
  await hub.until(made.id, { statuses: ["running"] });
  return made.id;
}

test(
  "a paused session outlives the hub and its own time limit, hears what it was told, and goes on",
  { timeout: 120_000 },
  async () => {
    const { hub } = house;
    const id = await begun({ timeout: 12 });
    // It is at work: nothing changes.
    expect(await api("POST", `${id}/resume`)).toMatchObject({ code: 200, body: { pause: null } });
    const [first, again] = [await api("POST", `${id}/pause`), await api("POST", `${id}/pause`)];
    expect(first).toMatchObject({
      code: 200,
      body: { status: "running", pause: { reason: "Paused on request", until: null } },
    });
    expect(again.body.pause).toEqual(first.body.pause);
    expect(await api("POST", `${id}/messages`, { text: "Remember this." })).toMatchObject({
      code: 202,
    });
    expect(await api("POST", `${id}/interrupt`)).toMatchObject({ code: 409 });
    await hub.kill();
    await hub.restart();
    expect((await api("GET", id)).body.pause).toEqual(first.body.pause);
    await waitFor(async () => (await bodiesOf(id, "turn.finished")).length === 1, {
      timeoutMs: 30_000,
    });
    // Its first time limit passes, and the grace that sandboxes have after it.
    const [{ deadlineAt }] = z
      .tuple([z.object({ deadlineAt: z.string() })])
      .parse(await bodiesOf(id, "session.admitted"));
    await waitFor(() => Promise.resolve(Date.now() > Date.parse(deadlineAt) + 2_000), {
      timeoutMs: 60_000,
    });
    expect(await api("GET", id)).toMatchObject({ code: 200, body: { status: "running" } });
    // The older API has no other word for it.
    expect(await hub.get(id)).toMatchObject({ status: "running" });
    expect(await cli("show", id)).toMatchObject({
      stderr: "",
      stdout: expect.stringContaining("until it is resumed: Paused on request"),
    });
    expect(await heard(id)).toEqual([]);
    expect(await cli("resume", id)).toMatchObject({ code: 0, stdout: `${id} is at work.\n` });
    expect(await hub.until(id, { timeoutMs: 30_000 })).toMatchObject({
      status: "completed",
      error: null,
    });
    const texts = await heard(id);
    expect(texts).toHaveLength(2);
    expect(texts[0]).toContain("interrupted by a pause. Go on");
    expect(texts[1]).toContain("Remember this.");
    expect(await bodiesOf(id, "session.paused")).toHaveLength(1);
    const resumed = await bodiesOf(id, "session.resumed");
    expect(resumed).toHaveLength(1);
    expect(z.number().parse(resumed[0]?.["pausedMs"])).toBeGreaterThan(1_000);
    for (const what of ["pause", "resume"])
      expect(await api("POST", `${id}/${what}`)).toMatchObject({
        code: 409,
        body: { detail: "The session has ended (status: completed)" },
      });
  },
);

test(
  "time passes again after a pause, and a paused session can be cancelled",
  { timeout: 120_000 },
  async () => {
    const { hub } = house;
    const cancelled = await begun({});
    const late = await begun({ timeout: 20 }, { hear: true }, { sleepMs: 120_000 });
    for (const id of [late, cancelled])
      expect(await api("POST", `${id}/pause`)).toMatchObject({ code: 200 });
    await api("POST", `${cancelled}/cancel`);
    expect(await hub.until(cancelled, { timeoutMs: 30_000 })).toMatchObject({
      status: "cancelled",
    });
    await api("POST", `${late}/resume`);
    expect(await hub.until(late, { timeoutMs: 60_000 })).toMatchObject({
      status: "failed",
      error: "The time limit was reached",
    });
    expect(await heard(late)).toHaveLength(1);
    expect((await api("GET", late)).body.pause).toBeNull();
  },
);

const ask = (text: string) => ({ model: { text } });

test(
  "a provider's limit is waited for, at the door or in a pause that ends by itself, also after a kill",
  { timeout: 120_000 },
  async () => {
    const { hub } = house;
    const soon = await hub.create(session(`Ask.\n${standIn(ask("soon again"))}`));
    await hub.start(soon.id);
    expect(await hub.until(soon.id)).toMatchObject({ status: "completed", error: null });
    const waits = await bodiesOf(soon.id, "model.limited");
    expect(waits).toEqual([{ status: 429, until: expect.any(String) }]);
    const calls = await bodiesOf(soon.id, "model.called");
    expect(calls.map(({ status }) => status)).toEqual([200]);
    expect(await bodiesOf(soon.id, "session.paused")).toEqual([]);

    const later = await hub.create(
      session(
        `Ask.\n${standIn(ask("much later"), { hear: true }, { hear: true }, ask("much later"))}`,
      ),
    );
    await hub.start(later.id);
    const pause = await waitFor(async () => (await bodiesOf(later.id, "session.paused"))[0], {
      timeoutMs: 60_000,
    });
    await hub.kill();
    expect(pause).toMatchObject({ reason: "The model's provider is overloaded (529)" });
    const until = Date.parse(z.string().parse(pause["until"]));
    await hub.restart();
    expect(await hub.until(later.id, { timeoutMs: 60_000 })).toMatchObject({
      status: "completed",
      error: null,
    });
    const resumed = (await hub.events(later.id)).filter(({ kind }) => kind === "session.resumed");
    expect(resumed).toHaveLength(1);
    expect(Date.parse(resumed[0]?.at ?? "")).toBeGreaterThanOrEqual(until);
    const statuses = (await bodiesOf(later.id, "model.called")).map(({ status }) => status);
    expect(statuses).toEqual([529, 200]);
  },
);

const step = (more: Record<string, unknown>) => Step.parse(more);
const bash = (command: string) => ({ name: "Bash", input: { command, description: "x" } });

test(
  "the real Claude Code is paused in the middle of a command, and goes on where it was",
  { timeout: 180_000 },
  async () => {
    await using real = await openHouse({
      agent: "real",
      scenario: {
        conversations: [
          {
            match: "The long task",
            steps: [
              step({ toolCalls: [bash("until [ -e never ]; do sleep 0.1; done")] }),
              step({ toolCalls: [bash("echo 1 > a.txt && git add -A && git commit -qm 'Add a'")] }),
              step({ structured: { summary: "I went on.", nextSteps: [] } }),
            ],
          },
        ],
      },
    });
    const { hub, forge } = real;
    const post = async (path: string) =>
      (await hub.fetch(`/api/v1/sessions/${path}`, { method: "POST" })).status;
    const kinds = async (id: string) => (await hub.events(id)).map(({ kind }) => kind);
    const { id } = await hub.create(session("The long task"));
    await hub.start(id);
    await waitFor(async () => (await kinds(id)).includes("tool.called"), { timeoutMs: 90_000 });
    expect(await post(`${id}/pause`)).toBe(200);
    await waitFor(async () => (await kinds(id)).includes("turn.finished"), { timeoutMs: 60_000 });
    expect(await hub.get(id)).toMatchObject({ status: "running" });
    expect(await post(`${id}/resume`)).toBe(200);
    expect(await hub.until(id, { timeoutMs: 90_000 })).toMatchObject({
      status: "completed",
      error: null,
    });
    const branch = `claude/implementation-${id.slice(-8)}`;
    expect(await forge.git(REPOSITORY, "log", "--format=%s", "-1", branch)).toBe("Add a");
  },
);
