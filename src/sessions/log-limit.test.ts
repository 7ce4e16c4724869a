import { sessionInsert } from "../../test/kit/hub/session-insert.ts";
import { expect, inject, test } from "vitest";
import { createTestDatabase } from "../../test/kit/hub/database.ts";
import type { EventKind } from "../core/event.ts";
import { openDatabase } from "../store/database.ts";
import { createEventStore } from "../store/log/events.ts";
import { createSessionStore } from "../store/sessions/sessions.ts";
import { createLogLimit } from "./log-limit.ts";

const AT = "2026-01-01T00:00:00.000Z";
const LIMIT = 10_000;

async function open() {
  await using parts = new AsyncDisposableStack();
  const own = parts.use(await createTestDatabase(inject("databaseServer")));
  const database = parts.use(openDatabase({ url: own.url, maxConnections: 2 }));
  const insert = sessionInsert(AT);
  const { id } = insert;
  await createSessionStore(database).insert(insert);
  const events = createEventStore(database);
  const all = parts.move();
  return { id, events, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

function batch(from: number, count: number, kind: EventKind = "message.written") {
  return Array.from({ length: count }, (_, n) => ({
    runnerSeq: from + n,
    at: AT,
    kind,
    body: { text: "x".repeat(1_000) },
  }));
}

test("a log that is full takes no more, says so once, and holds up nobody", async () => {
  await using own = await open();
  const limit = createLogLimit(own.events, LIMIT);
  for (let from = 1; from <= 1_000; from += 10)
    expect(await limit.append(own.id, batch(from, 10))).toMatchObject({ runnerSeq: from + 9 });
  const { bytes, rows } = await own.events.size(own.id);
  expect(bytes).toBeLessThan(LIMIT + 2_000);
  expect(rows).toBeLessThan(13);
  const dropped = await own.events.readKinds(own.id, ["events.dropped"], 10);
  expect(dropped).toHaveLength(1);
  expect(dropped[0]?.body["reason"]).toContain("limit of 10000 bytes");
  expect(await limit.hasRoom(own.id, {})).toBe(false);
  // The end of the work is told all the same.
  await limit.append(own.id, batch(1_001, 1, "agent.exited"));
  expect(await own.events.readKinds(own.id, ["agent.exited"], 10)).toHaveLength(1);
});

test("a hub that was restarted goes on counting where the other one was", async () => {
  await using own = await open();
  await createLogLimit(own.events, LIMIT).append(own.id, batch(1, 10));
  const limit = createLogLimit(own.events, LIMIT);
  // What comes a second time changes nothing.
  await limit.append(own.id, batch(1, 10));
  await limit.append(own.id, batch(11, 50));
  expect((await own.events.size(own.id)).rows).toBeLessThan(13);
});

test("the runner's own words are no way around it either", async () => {
  await using own = await open();
  const limit = createLogLimit(own.events, LIMIT);
  await limit.append(own.id, batch(1, 20));
  for (let from = 21; from < 1_021; from += 100)
    await limit.append(own.id, batch(from, 100, "agent.exited"));
  expect((await own.events.size(own.id)).rows).toBeLessThan(250);
});
