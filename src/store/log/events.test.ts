import { sessionInsert } from "../../../test/kit/hub/session-insert.ts";
import { expect, inject, test } from "vitest";
import { createTestDatabase } from "../../../test/kit/hub/database.ts";
import type { EventBody, EventKind } from "../../core/event.ts";
import { newId } from "../../core/id.ts";
import { LIMITS } from "../../core/limits.ts";
import { openDatabase } from "../database.ts";
import { appendWithin, createEventStore, lockSessions } from "./events.ts";
import { createSessionStore } from "../sessions/sessions.ts";
import { inTransaction } from "../transaction.ts";

const AT = "2026-01-01T00:00:00.000Z";

/** Two hubs on one database. */
async function openTwo() {
  await using parts = new AsyncDisposableStack();
  const own = parts.use(await createTestDatabase(inject("databaseServer")));
  const database = parts.use(openDatabase({ url: own.url, maxConnections: 4 }));
  const other = parts.use(openDatabase({ url: own.url, maxConnections: 4 }));
  const sessions = createSessionStore(database);
  const all = parts.move();
  return {
    database,
    sessions,
    events: createEventStore(database),
    otherEvents: createEventStore(other),
    async make(): Promise<string> {
      const insert = sessionInsert(AT);
      await sessions.insert(insert);
      return insert.id;
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

function event(kind: EventKind, body: EventBody = {}, runnerSeq?: number) {
  return { at: AT, kind, body, ...(runnerSeq === undefined ? {} : { runnerSeq }) };
}

function printed(...runnerSeqs: number[]) {
  return runnerSeqs.map((n) => event("agent.printed", { line: String(n) }, n));
}

function seqs(log: { seq: number }[]): number[] {
  return log.map(({ seq }) => seq);
}

test("a log is numbered without gaps, however many append to it from two hubs", async () => {
  await using hubs = await openTwo();
  const ids = [await hubs.make(), await hubs.make(), await hubs.make()];
  await Promise.all(
    Array.from({ length: 300 }, async (_, n) => {
      const store = n % 2 === 0 ? hubs.events : hubs.otherEvents;
      const events = [event("agent.printed", { n }), event("model.called", { inputTokens: 1 })];
      await store.append({ sessionId: ids[n % 3] ?? "", events });
    }),
  );
  for (const id of ids) {
    const log = await hubs.events.readAfter(id, 0, 1_000);
    expect(log.map(({ seq }) => seq)).toEqual(Array.from({ length: 201 }, (_, n) => n + 1));
    expect(await hubs.otherEvents.end(id)).toEqual({ lastSeq: 201, runnerSeq: 0 });
    // What is appended together stays together.
    const pairs = log.slice(1).map(({ kind }) => kind);
    expect(pairs).toEqual(pairs.map((_, n) => (n % 2 === 0 ? "agent.printed" : "model.called")));
    expect((await hubs.sessions.get(id))?.usage).toMatchObject({
      inputTokens: 100,
      modelCalls: 100,
    });
  }
});

test("what a runner sends again is not in the log twice", async () => {
  await using hubs = await openTwo();
  const sessionId = await hubs.make();
  const { append, readAfter } = hubs.events;
  expect(await append({ sessionId, events: printed(1, 2) })).toEqual({ lastSeq: 3, runnerSeq: 2 });
  expect(await append({ sessionId, events: printed(1, 2) })).toEqual({ lastSeq: 3, runnerSeq: 2 });
  expect(await append({ sessionId, events: printed(2, 3) })).toEqual({ lastSeq: 4, runnerSeq: 3 });
  // The hub's own events have no such number and are always taken.
  await append({ sessionId, events: [event("sandbox.stopped"), event("sandbox.stopped")] });
  const lines = (await readAfter(sessionId, 1, 10)).map(({ body }) => body["line"]);
  expect(lines).toEqual(["1", "2", "3", undefined, undefined]);
});

test("nor when it comes again before the first one was answered", async () => {
  await using hubs = await openTwo();
  const sessionId = await hubs.make();
  // In one batch of one hub, and at another hub at the same time.
  const ends = await Promise.all([
    hubs.events.append({ sessionId, events: printed(1, 2) }),
    hubs.events.append({ sessionId, events: printed(1, 2, 3) }),
    hubs.otherEvents.append({ sessionId, events: printed(1, 2, 3) }),
    hubs.otherEvents.append({ sessionId, events: printed(1, 2, 3, 4) }),
  ]);
  expect(Math.max(...ends.map(({ runnerSeq }) => runnerSeq))).toBe(4);
  const lines = (await hubs.events.readAfter(sessionId, 1, 20)).map(({ body }) => body["line"]);
  expect(lines).toEqual(["1", "2", "3", "4"]);
});

test("a session's columns follow from its events", async () => {
  await using hubs = await openTwo();
  const sessionId = await hubs.make();
  const usage = { inputTokens: 3, outputTokens: 5, cacheReadTokens: 7, cacheWriteTokens: 11 };
  await hubs.events.append({
    sessionId,
    events: [
      event("agent.started", { agent: "claude-code" }),
      event("agent.initialized", { agentSessionId: "conversation" }),
      event("model.called", { ...usage, costUsd: 0.25 }),
      event("model.called", { ...usage, costUsd: 0.5 }),
    ],
  });
  // A second start, after a resume, does not move the first one.
  const later = { ...event("agent.started"), at: "2026-02-02T00:00:00.000Z" };
  await hubs.events.append({ sessionId, events: [later] });
  expect(await hubs.sessions.get(sessionId)).toMatchObject({
    status: "running",
    startedAt: AT,
    agentSessionId: "conversation",
    usage: {
      inputTokens: 6,
      outputTokens: 10,
      cacheReadTokens: 14,
      cacheWriteTokens: 22,
      costUsd: 0.75,
      modelCalls: 2,
    },
  });
});

test("a session that has ended is not brought back by a late event", async () => {
  await using hubs = await openTwo();
  const sessionId = await hubs.make();
  expect(await hubs.events.isClosed(sessionId)).toBe(false);
  await hubs.database.db
    .updateTable("sessions")
    .set({ status: "cancelled", completed_at: AT })
    .where("id", "=", sessionId)
    .execute();
  await hubs.events.append({ sessionId, events: [event("agent.started")] });
  expect(await hubs.sessions.get(sessionId)).toMatchObject({ status: "cancelled" });
  expect(await hubs.events.isClosed(sessionId)).toBe(true);
});

test("an unknown session is not found, alone and among others", async () => {
  await using hubs = await openTwo();
  const sessionId = await hubs.make();
  const unknown = { sessionId: newId(), events: [event("agent.printed")] };
  await expect(hubs.events.append(unknown)).rejects.toMatchObject({ code: "not_found" });
  await expect(hubs.events.end(unknown.sessionId)).rejects.toMatchObject({ code: "not_found" });
  const settled = await Promise.allSettled([
    hubs.events.append({ sessionId, events: [event("agent.printed")] }),
    hubs.events.append(unknown),
    hubs.events.append({ sessionId, events: [event("agent.printed")] }),
  ]);
  expect(settled.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  expect(settled[1]).toMatchObject({ reason: { code: "not_found" } });
  expect((await hubs.events.end(sessionId)).lastSeq).toBe(3);
});

test("one that the database refuses fails alone", async () => {
  await using hubs = await openTwo();
  const sessionId = await hubs.make();
  const settled = await Promise.allSettled([
    hubs.events.append({ sessionId, events: [event("agent.printed")] }),
    hubs.events.append({ sessionId, events: [{ ...event("agent.printed"), at: "never" }] }),
    hubs.events.append({ sessionId, events: [event("agent.printed")] }),
  ]);
  expect(settled.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  expect((await hubs.events.end(sessionId)).lastSeq).toBe(3);
});

test("bodies are bounded, and hold what PostgreSQL does not", async () => {
  await using hubs = await openTwo();
  const sessionId = await hubs.make();
  const text = "a\u0000b\ud800c\\u0000";
  await hubs.events.append({
    sessionId,
    events: [
      event("agent.printed", { line: "x".repeat(20 * 1_048_576) }),
      event("agent.printed", { line: text }),
    ],
  });
  const [long, odd] = await hubs.events.readAfter(sessionId, 1, 10);
  expect(JSON.stringify(long?.body).length).toBeLessThanOrEqual(LIMITS.eventBodyBytes);
  expect(long?.body["truncated"]).toBeGreaterThan(20_000_000);
  expect(odd?.body["line"]).toMatch(/^a\ufffdb\ufffdc/);
});

test("logs are read after a position, many at once, by kind, and from their end", async () => {
  await using hubs = await openTwo();
  const ids = [await hubs.make(), await hubs.make()];
  const [first = "", second = ""] = ids;
  for (const sessionId of ids) await hubs.events.append({ sessionId, events: printed(1, 2, 3) });
  const { readAfter, readManyAfter, readKinds, readLast } = hubs.events;
  expect(seqs(await readAfter(first, 1, 2))).toEqual([2, 3]);
  expect(await readAfter(first, 4, 10)).toEqual([]);
  const positions = [
    { sessionId: second, seq: 2 },
    { sessionId: newId(), seq: 0 },
    { sessionId: first, seq: 4 },
    { sessionId: first, seq: 0 },
    { sessionId: second, seq: 2 },
  ];
  expect((await readManyAfter(positions, 3)).map(seqs)).toEqual([
    [3, 4],
    [],
    [],
    [1, 2, 3],
    [3, 4],
  ]);
  expect(await readManyAfter([], 3)).toEqual([]);
  expect(seqs(await readKinds(first, ["session.created", "tool.called"], 10))).toEqual([1]);
  expect(seqs(await readLast(first, 2))).toEqual([3, 4]);
});

test("in a transaction that is undone nothing is appended; in one that is not, everything", async () => {
  await using hubs = await openTwo();
  const sessionId = await hubs.make();
  const append = [{ sessionId, events: [event("session.failed", { error: "x" })] }];
  await expect(
    inTransaction(hubs.database, async (tx) => {
      await lockSessions(tx, [sessionId]);
      await appendWithin(tx, append);
      throw new Error("no");
    }),
  ).rejects.toThrow("no");
  expect((await hubs.events.end(sessionId)).lastSeq).toBe(1);
  await inTransaction(hubs.database, async (tx) => {
    await lockSessions(tx, [sessionId]);
    await appendWithin(tx, append);
    await appendWithin(tx, append);
  });
  expect((await hubs.events.end(sessionId)).lastSeq).toBe(3);
});
