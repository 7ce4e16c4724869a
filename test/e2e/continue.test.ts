import { expect, test } from "vitest";
import { openHouse, REPOSITORY, session } from "../kit/hub/house.ts";
import type { Scenario } from "../kit/model/scenario.ts";
import { standIn } from "../kit/agent/stand-in.ts";
import type { StandInStep } from "../kit/agent/stand-in.ts";

/** With this answer Claude Code itself closes a turn that is resumed after its structured answer. */
const CLOSED = step({ text: "No response requested." });
const done = (summary: string) => ({ structured: { summary, nextSteps: [] } });

test(
  "the real Claude Code remembers, and works on on the same branch",
  {
    timeout: 120_000,
  },
  async () => {
    const scenario: Scenario = {
      conversations: [
        {
          match: "The word is heron",
          steps: [
            step({ toolCalls: [write("a.txt", "one")] }),
            step(done("I noted the word.")),
            CLOSED,
            step({ toolCalls: [write("b.txt", "two")] }),
            step(done("I went on.")),
            CLOSED,
            step(done("I read on.")),
          ],
        },
      ],
    };
    await using house = await openHouse({ agent: "real", scenario });
    const { hub, forge, model } = house;
    const first = await hub.create(session("The word is heron. Note it."));
    await hub.start(first.id);
    expect(await hub.until(first.id, { timeoutMs: 60_000 })).toMatchObject({ status: "completed" });
    const second = await hub.create(session("Go on.", { continues: first.id }));
    await hub.start(second.id);
    expect(await hub.until(second.id, { timeoutMs: 60_000 })).toMatchObject({
      status: "completed",
      error: null,
    });
    // The script goes on only for who sends what was said before.
    expect(await hub.events(second.id)).not.toContainEqual(
      expect.objectContaining({ kind: "api.retried" }),
    );
    expect(JSON.stringify(model.requests.at(-1)?.body)).toContain("The word is heron");
    const branch = `claude/implementation-${first.id.slice(-8)}`;
    expect(await forge.git(REPOSITORY, "log", "--format=%s", branch)).toBe(
      "Add b.txt\nAdd a.txt\nBegin",
    );
    const { body } = await hub.claude({ type: "session.output", sessionId: second.id });
    expect(body.data?.["output"]).toMatchObject({ summary: "I went on." });
    // One more time: whoever continues, and whoever is continued, has one conversation.
    const third = await hub.create(session("And on.", { continues: second.id, type: "analysis" }));
    await hub.start(third.id);
    await hub.until(third.id, { timeoutMs: 60_000 });
    expect(JSON.stringify(model.requests.at(-1)?.body)).toContain("I noted the word.");
    expect(await hub.get(third.id)).toMatchObject({ status: "completed" });
  },
);

test("a session waits for the end of the one that it continues, even when that fails", async () => {
  await using house = await openHouse();
  const { hub, forge } = house;
  const first = await hub.create(
    session(work({ write: { path: "a", content: "1" } }, { commit: "Add a" }, { exit: 3 })),
  );
  const second = await hub.create(
    session(work({ write: { path: "b", content: "1" } }, { commit: "Add b" }), {
      continues: first.id,
    }),
  );
  const below = await hub.create(session("Below.", { dependencies: [first.id] }));
  const asked = await hub.claude({ type: "session.start", sessionId: second.id });
  expect(asked.body.data).toMatchObject({ waitingFor: [first.id] });
  await hub.start(first.id);
  expect(await hub.until(first.id)).toMatchObject({ status: "failed" });
  expect(await hub.until(second.id)).toMatchObject({ status: "completed", error: null });
  expect(await hub.until(below.id)).toMatchObject({ status: "cancelled" });
  const branch = `claude/implementation-${first.id.slice(-8)}`;
  expect(await forge.git(REPOSITORY, "log", "--format=%s", branch)).toBe("Add b\nAdd a\nBegin");
});

test("a session may depend on the one that it continues", async () => {
  await using house = await openHouse();
  const { hub } = house;
  const first = await hub.create(session("First."));
  const second = await hub.create(
    session("Second.", { continues: first.id, dependencies: [first.id] }),
    { options: { autoStart: true } },
  );
  await hub.start(first.id);
  expect(await hub.until(second.id)).toMatchObject({ status: "completed" });
});

test("one that is cancelled with others is waited for no more", async () => {
  await using house = await openHouse();
  const { hub } = house;
  const root = await hub.create(session("Root."));
  const child = await hub.create(session("Child.", { dependencies: [root.id] }));
  const next = await hub.create(
    session("Next.", { continues: child.id, options: { autoStart: true } }),
  );
  await hub.fetch(`/api/v1/sessions/${root.id}/cancel`, { method: "POST" });
  expect(await hub.until(child.id)).toMatchObject({ status: "cancelled" });
  expect(await hub.until(next.id)).toMatchObject({ status: "completed" });
});

test("what cannot be continued is refused", async () => {
  await using house = await openHouse();
  const { hub, forge } = house;
  await forge.repository("octo/other", "greeter");
  const first = await hub.create(session("First."));
  const ask = async (continues: string, repository = REPOSITORY) => {
    const project = { repository, requirements: "More." };
    const wanted = { type: "analysis", project, continues };
    const { status, body } = await hub.claude({ type: "session.create", session: wanted });
    return { status, error: body.error ?? "" };
  };
  expect(await ask("018f0000-0000-7000-8000-000000000000")).toMatchObject({ status: 400 });
  const other = await ask(first.id, "octo/other");
  expect(other).toMatchObject({ status: 400 });
  expect(other.error).toContain("another repository");
  expect((await ask(first.id)).status).toBe(200);
  const again = await ask(first.id);
  expect(again.status).toBe(409);
  expect(again.error).toContain("continue that one");
});

function write(path: string, content: string) {
  return {
    name: "Bash",
    input: { command: `echo ${content} > ${path} && git add -A && git commit -qm "Add ${path}"` },
  };
}

function work(...steps: StandInStep[]): string {
  return `Work.\n${standIn(...steps)}`;
}

function step(more: object): Scenario["conversations"][number]["steps"][number] {
  return { toolCalls: [], delayMs: 0, pieceMs: 0, hangUp: false, ...more };
}
