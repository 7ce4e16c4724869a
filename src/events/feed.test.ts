import { sessionInsert } from "../../test/kit/hub/session-insert.ts";
import pino from "pino";
import { expect, inject, test } from "vitest";
import { createTestDatabase } from "../../test/kit/hub/database.ts";
import type { Event } from "../core/event.ts";
import { openDatabase } from "../store/database.ts";
import { createEventStore } from "../store/log/events.ts";
import { listenToDatabase } from "../store/notifications.ts";
import { createSessionStore } from "../store/sessions/sessions.ts";
import { createEventFeed } from "./feed.ts";

const AT = "2026-01-01T00:00:00.000Z";

async function openFeed() {
  await using parts = new AsyncDisposableStack();
  const own = parts.use(await createTestDatabase(inject("databaseServer")));
  const database = parts.use(openDatabase({ url: own.url, maxConnections: 4 }));
  const log = pino({ level: "silent" });
  const notifications = parts.use(await listenToDatabase({ url: own.url, log }));
  const events = createEventStore(database);
  const insert = sessionInsert(AT);
  const { id } = insert;
  await createSessionStore(database).insert(insert);
  const say = (...kinds: Event["kind"][]) =>
    events.append({ sessionId: id, events: kinds.map((kind) => ({ at: AT, kind, body: {} })) });
  const all = parts.move();
  return {
    feed: createEventFeed({ store: events, notifications }),
    database,
    id,
    say,
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

async function seqs(batches: AsyncIterable<Event[]>): Promise<number[]> {
  const found: number[] = [];
  for await (const batch of batches) found.push(...batch.map(({ seq }) => seq));
  return found;
}

test("gives what is there, then what comes, and ends with the session", async () => {
  await using house = await openFeed();
  const { feed, id, say } = house;
  const never = new AbortController().signal;
  const readers = [0, 0, 2].map((after) => seqs(feed.follow(id, after, never)));
  for (let round = 0; round < 20; round += 1) await say("message.written", "tool.called");
  await say("session.completed");
  const all = Array.from({ length: 42 }, (_, index) => index + 1);
  expect(await Promise.all(readers)).toEqual([all, all, all.slice(2)]);
});

test("who reads on from the end of a closed log is not kept waiting", async () => {
  await using house = await openFeed();
  const { feed, id, say, database } = house;
  await say("session.failed");
  await database.db
    .updateTable("sessions")
    .set({ completed_at: AT })
    .where("id", "=", id)
    .execute();
  expect(await seqs(feed.follow(id, 2, new AbortController().signal))).toEqual([]);
});

test("a reader that leaves is forgotten", async () => {
  await using house = await openFeed();
  const { feed, id } = house;
  const leaving = new AbortController();
  const reading = seqs(feed.follow(id, 1, leaving.signal));
  leaving.abort();
  expect(await reading).toEqual([]);
});

test("events that come while notifications are interrupted arrive all the same", async () => {
  await using house = await openFeed();
  const { feed, id, say, database } = house;
  const reading = seqs(feed.follow(id, 0, new AbortController().signal));
  await database.prepared(
    "cut",
    "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'claude-hub listener' and datname = current_database()",
    [],
  );
  await say("message.written");
  await say("session.cancelled");
  expect(await reading).toEqual([1, 2, 3]);
});
