import { expect, test } from "vitest";
import { z } from "zod";
import { openHouse, REPOSITORY, session } from "../kit/hub/house.ts";
import type { TestHub } from "../kit/hub/hub.ts";
import type { Scenario } from "../kit/model/scenario.ts";
import { mcpClient } from "../kit/hub/mcp-client.ts";
import { standIn } from "../kit/agent/stand-in.ts";

const Answer = z.looseObject({ id: z.string().default(""), detail: z.string().optional() });

const Forked = z.object({ session: z.object({ id: z.string() }) });

async function post(hub: TestHub, path: string, body: unknown) {
  const response = await hub.fetch(`/api/v1/sessions/${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: Answer.parse(await response.json()) };
}

const branchOf = (id: string) => `claude/implementation-${id.slice(-8)}`;

test(
  "the real Claude Code goes another way from the middle, on the commit of then",
  { timeout: 180_000 },
  async () => {
    const scenario: Scenario = {
      conversations: [
        {
          match: "Go another way",
          steps: [
            step({ text: "Not asked for." }),
            step({ toolCalls: [write("c.txt")] }),
            step(done("I went another way.")),
          ],
        },
        {
          match: "The base task",
          steps: [
            step({ text: "I begin.", toolCalls: [write("a.txt")] }),
            step({ text: "The first is done.", toolCalls: [write("b.txt")] }),
            step(done("Both are done.")),
          ],
        },
      ],
    };
    await using house = await openHouse({ agent: "real", scenario });
    const { hub, forge, model } = house;
    const first = await hub.create(session("The base task"));
    await hub.start(first.id);
    expect(await hub.until(first.id)).toMatchObject({ status: "completed" });
    const events = await hub.events(first.id);
    const returned = events.find(({ kind }) => kind === "tool.returned");
    // At the next event, whatever that is: what had been said by then counts.
    const at = (returned?.seq ?? 0) + 1;
    const requirements = "Go another way";
    const fork = await post(hub, `${first.id}/fork`, { at, requirements, autoStart: true });
    expect(fork.status).toBe(201);
    expect(await hub.until(fork.body.id)).toMatchObject({ status: "completed", error: null });
    const asked = JSON.stringify(model.requests.at(-1)?.body);
    expect(asked).toContain("The base task");
    expect(asked).not.toContain("The first is done.");
    const log = (id: string) => forge.git(REPOSITORY, "log", "--format=%s", branchOf(id));
    expect(await log(fork.body.id)).toBe("Add c.txt\nAdd a.txt\nBegin");
    expect(await log(first.id)).toBe("Add b.txt\nAdd a.txt\nBegin");
    // What the fork has made is what it has made itself.
    const diff = await hub.fetch(`/api/v1/sessions/${fork.body.id}/diff`);
    expect(await diff.text()).not.toContain("a.txt");

    const { call } = mcpClient({ url: hub.url, token: hub.secret });
    const other = await call("fork_session", { session_id: first.id, requirements, at });
    const { session: made } = Forked.parse(other.structured);
    expect(await hub.until(made.id)).toMatchObject({ status: "completed", error: null });
    expect(await log(made.id)).toBe("Add c.txt\nAdd a.txt\nBegin");
    expect(await forge.git(REPOSITORY, "rev-parse", `${branchOf(made.id)}^`)).toBe(
      await forge.git(REPOSITORY, "rev-parse", `${branchOf(first.id)}^`),
    );
  },
);

test("a session is gone on with, tried again, and not forked without a conversation", async () => {
  await using house = await openHouse({
    env: { CLAUDE_HUB_ALLOWED_MODELS: "small-one", ANTHROPIC_MODEL: "usual-one" },
  });
  const { hub, forge } = house;
  const first = await hub.create(session(`Work.\n${commit("a.txt")}`));
  const open = await post(hub, `${first.id}/retry`, {});
  expect(open).toMatchObject({ status: 409 });
  expect(await post(hub, `${first.id}/fork`, { requirements: "x" })).toMatchObject({ status: 409 });
  await hub.start(first.id);
  await hub.until(first.id);

  const next = await post(hub, `${first.id}/continue`, {
    requirements: `More.\n${commit("b.txt")}`,
    autoStart: true,
  });
  expect(next).toMatchObject({ status: 201, body: { continuesId: first.id } });
  await hub.until(next.body.id);
  expect(await forge.git(REPOSITORY, "log", "--format=%s", branchOf(first.id))).toBe(
    "Add b.txt\nAdd a.txt\nBegin",
  );
  const again = await post(hub, `${first.id}/continue`, { requirements: "x" });
  expect(again.status).toBe(409);

  const fork = await post(hub, `${first.id}/fork`, { requirements: "x" });
  expect(fork.status).toBe(409);
  expect(fork.body.detail).toContain("no conversation");

  const wrong = await post(hub, `${first.id}/retry`, { model: "the-best" });
  expect(wrong.status).toBe(400);
  const retry = await post(hub, `${first.id}/retry`, { model: "small-one" });
  expect(retry.status).toBe(201);
  expect(await hub.until(retry.body.id)).toMatchObject({ status: "completed" });
  expect(await hub.events(retry.body.id)).toContainEqual(
    expect.objectContaining({
      kind: "agent.initialized",
      body: expect.objectContaining({ model: "small-one" }),
    }),
  );
  expect(await forge.git(REPOSITORY, "log", "--format=%s", branchOf(retry.body.id))).toBe(
    "Add a.txt\nBegin",
  );
  const unknown = await post(hub, "018f0000-0000-7000-8000-000000000000/retry", {});
  expect(unknown.status).toBe(404);
});

function commit(path: string): string {
  return standIn({ write: { path, content: "x\n" } }, { commit: `Add ${path}` });
}

function write(path: string) {
  const command = `echo x > ${path} && git add -A && git commit -qm "Add ${path}"`;
  return { name: "Bash", input: { command } };
}

const done = (summary: string) => ({ structured: { summary, nextSteps: [] } });

function step(more: object): Scenario["conversations"][number]["steps"][number] {
  return { toolCalls: [], delayMs: 0, pieceMs: 0, hangUp: false, ...more };
}
