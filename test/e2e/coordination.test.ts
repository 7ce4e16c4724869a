import { expect, test } from "vitest";
import { coordinate, orchestrationOf, outcomeOf, textOf } from "../kit/hub/coordination.ts";
import type { OrchestrationView } from "../kit/hub/coordination.ts";
import { openGitHubHouse } from "../kit/bot/github-house.ts";
import type { TestHub } from "../kit/hub/hub.ts";
import { standIn } from "../kit/agent/stand-in.ts";
import type { StandInStep } from "../kit/agent/stand-in.ts";
import { waitFor } from "../kit/wait.ts";

/** What a child is told; it tells the session that merges what to do in its summary. */
const MERGE = standIn(
  {
    run: "for b in $(git for-each-ref --format='%(refname)' refs/remotes/origin/claude); do git merge -q --no-edit $b; done",
  },
  { result: { summary: "All is together now." } },
);
const child = (title: string, steps: StandInStep[], more: Record<string, unknown> = {}) => ({
  tool: {
    name: "create_session",
    input: {
      title,
      session_type: "implementation",
      requirements: `Do it.\n${standIn(...steps)}`,
      auto_start: true,
      ...more,
    },
  },
});
const writing = (name: string, before: StandInStep[] = []): StandInStep[] => [
  ...before,
  { write: { path: `${name}.md`, content: name } },
  { commit: `Add ${name}` },
  { result: { summary: `${name} is there.\n${MERGE}` } },
];
const WAIT = { tool: { name: "wait_for_session", input: { session_ids: "{{made}}" } } };
const find = (view: OrchestrationView, title: string) =>
  view.sessions.find((one) => one.title === title);

async function untilRunning(hub: TestHub, id: string, titles: string[]) {
  return await waitFor(
    async () => {
      const view = await orchestrationOf(hub, id);
      const isRunning = titles.every((title) => find(view, title)?.status === "running");
      return isRunning ? view : undefined;
    },
    { timeoutMs: 90_000, what: `${titles.join(" and ")} to run` },
  );
}

/** The coordinator's call that waits is under way. */
async function untilWaiting(hub: TestHub, id: string, titles: string[]) {
  const view = await untilRunning(hub, id, titles);
  const own = view.sessions.find(({ role }) => role === "coordinator")?.sessionId ?? "";
  await waitFor(
    async () => (await hub.events(own)).some(({ body }) => body["text"] === "I wait now."),
    { timeoutMs: 60_000, what: "the coordinator to wait" },
  );
  return { view, own };
}

test(
  "a coordinator's wait outlives the hub, and its work is one pull request; a cancel ends all",
  { timeout: 300_000 },
  async () => {
    await using house = await openGitHubHouse({
      env: { CLAUDE_HUB_MAX_SESSIONS: "3", CLAUDE_HUB_MAX_SESSIONS_PER_REPOSITORY: "3" },
    });
    const { hub } = house;
    const slow: StandInStep[] = [{ hear: true }];
    const id = await coordinate(
      hub,
      `Two files.\n${standIn(
        child("One", writing("one", slow)),
        child("Two", writing("two", slow)),
        { print: "I wait now." },
        WAIT,
        { result: { summary: "Two files are there." } },
      )}`,
    );
    const { view: before, own } = await untilWaiting(hub, id, ["One", "Two"]);
    await hub.kill();
    await hub.restart();
    house.connect();
    for (const title of ["One", "Two"]) {
      const told = await hub.fetch(
        `/api/v1/sessions/${find(before, title)?.sessionId ?? ""}/messages`,
        {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ text: "Go on." }),
        },
      );
      expect(told.status).toBe(202);
    }
    const view = await outcomeOf(hub, id);
    expect(view).toMatchObject({
      state: "completed",
      error: null,
      summary: "3 of 3 sessions completed",
    });
    const log = await hub.events(own);
    expect(log.filter(({ kind }) => kind === "agent.started")).toHaveLength(1);
    // The one call was answered, by the hub that came after.
    const waited = log.filter(({ kind, body }) => kind === "tool.returned" && body["text"] !== "");
    expect(textOf(waited.at(-1)?.body)).toContain('"done":true');
    // What was asked twice was made once.
    expect(view.sessions.filter(({ role }) => role === "task")).toHaveLength(2);
    expect(house.pulls()).toMatchObject([{ head: view.branch, isDraft: true }]);
    expect(house.pulls()[0]?.body).toContain("Two files are there.");

    await talksToItsOwn(hub);

    const other = await coordinate(
      hub,
      `More.\n${standIn(
        child("Three", [{ hear: true }]),
        child("Four", [{ hear: true }], { dependencies: ["{{made:0}}"] }),
        { print: "I wait now." },
        WAIT,
      )}`,
    );
    await untilWaiting(hub, other, ["Three"]);
    expect(
      (await hub.fetch(`/api/v1/orchestrations/${other}/cancel`, { method: "POST" })).status,
    ).toBe(200);
    const cancelled = await outcomeOf(hub, other);
    expect(cancelled.state).toBe("cancelled");
    expect(cancelled.sessions.map(({ status }) => status)).toEqual([
      "cancelled",
      "cancelled",
      "cancelled",
    ]);
  },
);

/** A child that hears nothing is ended and tried again, and the one in its place is told what to do. */
async function talksToItsOwn(hub: TestHub): Promise<void> {
  const first = { session_id: "{{made:0}}" };
  const second = { session_id: "{{made:1}}" };
  const text = `Write it.\n${standIn({ write: { path: "told.md", content: "x" } }, { commit: "Add told" })}`;
  const id = await coordinate(
    hub,
    `Talk.\n${standIn(
      child("Deaf", [{ hear: true }, { result: { summary: "I heard." } }], { auto_start: false }),
      { tool: { name: "interrupt_session", input: first } },
      { tool: { name: "retry_session", input: first } },
      { tool: { name: "cancel_session", input: first } },
      { tool: { name: "retry_session", input: first } },
      { tool: { name: "retry_session", input: first } },
      { tool: { name: "message_session", input: { ...second, text } } },
      { tool: { name: "wait_for_session", input: second } },
    )}`,
  );
  const view = await outcomeOf(hub, id);
  expect(view).toMatchObject({
    state: "completed",
    summary: "1 of 1 sessions completed",
  });
  const [own, , again, ...more] = view.sessions;
  expect(more).toEqual([]);
  expect(view.sessions.slice(1)).toMatchObject([
    { title: "Deaf", role: "task", place: "replaced", status: "cancelled" },
    { title: "Deaf", role: "task", place: "current", status: "completed" },
  ]);
  expect(view.branch).toBe(again?.workBranch);
  const texts = (await hub.events(own?.sessionId ?? ""))
    .filter(({ kind }) => kind === "tool.returned")
    .map(({ body }) => textOf(body));
  expect(texts.slice(1, 3)).toEqual(["The session has not begun", "The session has not ended"]);
  expect(texts[5]).toBe("another session has taken its place already");
  const told = (await hub.events(again?.sessionId ?? "")).filter(
    ({ kind }) => kind === "message.sent" || kind === "message.delivered",
  );
  expect(told.map(({ kind }) => kind)).toEqual(["message.sent", "message.delivered"]);
  expect(told[0]?.body).toMatchObject({ text, sender: `coordinator ${own?.sessionId ?? ""}` });
}

test(
  "what fails is told as it is: a child, that another one replaces; a coordinator, that takes the others with it",
  { timeout: 300_000 },
  async () => {
    await using house = await openGitHubHouse({
      env: { CLAUDE_HUB_MAX_SESSIONS: "3", CLAUDE_HUB_MAX_SESSIONS_PER_REPOSITORY: "3" },
    });
    const { hub } = house;
    const replanned = await coordinate(
      hub,
      `Two tries.\n${standIn(
        child("First try", [{ result: { summary: "It is too hard.", isError: true } }]),
        child("After it", writing("after"), { dependencies: ["{{made:0}}"] }),
        WAIT,
        child("Second try", writing("second"), { replaces: "{{made:0}}" }),
        WAIT,
        // Never started: nobody waits for it.
        child("Forgotten", writing("forgotten"), { auto_start: false }),
        { result: { summary: "At the second try." } },
      )}`,
    );
    const view = await outcomeOf(hub, replanned);
    expect(view).toMatchObject({ state: "completed", error: null });
    expect(view.summary).toBe(
      "1 of 3 sessions completed; After it was cancelled; Forgotten was cancelled",
    );
    expect(find(view, "First try")).toMatchObject({ status: "failed", place: "replaced" });
    expect(find(view, "Forgotten")?.error).toBe(
      "Cancelled because the session that coordinates completed without starting it",
    );
    const own = view.sessions.find(({ role }) => role === "coordinator")?.sessionId ?? "";
    const texts = (await hub.events(own)).map(({ body }) => textOf(body));
    expect(texts.some((text) => text.includes("It is too hard."))).toBe(true);
    // One branch is left, and nothing to merge.
    expect(view.branch).toBe(find(view, "Second try")?.workBranch);
    expect(house.pulls()).toMatchObject([{ head: view.branch }]);

    const killed = await coordinate(
      hub,
      `Never ending.\n${standIn(
        child("Endless", [{ hear: true }]),
        child("Later", writing("later"), { dependencies: ["{{made:0}}"] }),
        { print: "I wait now." },
        WAIT,
      )}`,
    );
    const waiting = await untilWaiting(hub, killed, ["Endless"]);
    const started = (await hub.events(waiting.own)).find(({ kind }) => kind === "agent.started");
    process.kill(Number(started?.body["pid"]), "SIGKILL");
    const ended = await outcomeOf(hub, killed);
    expect(ended).toMatchObject({
      state: "failed",
      error: expect.stringMatching(/^The coordinating session failed: /),
      pullRequestUrl: null,
    });
    expect(find(ended, "Endless")?.status).toBe("cancelled");
    expect(find(ended, "Later")?.error).toBe(
      "Cancelled because the session that coordinates failed",
    );
  },
);
