import { sessionInsert } from "../../../test/kit/hub/session-insert.ts";
import { expect, inject, test } from "vitest";
import { createTestDatabase } from "../../../test/kit/hub/database.ts";
import { newId } from "../../core/id.ts";
import { NewSession, NO_USAGE } from "../../core/session.ts";
import { openDatabase } from "../database.ts";
import { createEventStore } from "../log/events.ts";
import {
  childrenOf,
  createSessionStore,
  descendantsOf,
  insertWithin,
  readWithin,
} from "./sessions.ts";
import type { SessionInsert } from "./sessions.ts";
import { inTransaction } from "../transaction.ts";

const AT = "2026-01-01T00:00:00.000Z";

async function open() {
  await using parts = new AsyncDisposableStack();
  const own = parts.use(await createTestDatabase(inject("databaseServer")));
  const database = parts.use(openDatabase({ url: own.url, maxConnections: 4 }));
  const all = parts.move();
  return {
    database,
    sessions: createSessionStore(database),
    events: createEventStore(database),
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

function insertOf(
  session: Partial<NewSession> = {},
  orchestrationId: string | null = null,
): SessionInsert {
  return sessionInsert(AT, { session, orchestrationId });
}

function sorted(...inserts: SessionInsert[]): string[] {
  return inserts.map(({ id }) => id).toSorted();
}

test("what goes in comes out, with a log that has begun", async () => {
  await using store = await open();
  const orchestrationId = newId();
  const project = {
    repository: "octo/greeter",
    branch: "main",
    requirements: 'It\'s "quoted" $1 \\ \u{1f600}\n',
    context: "",
  };
  const metadata = { a: [1, { b: null }] };
  const options = { autoStart: true, timeout: 5, notifyUrl: "http://localhost/x" };
  const insert = insertOf({ type: "testing", project, metadata, options }, orchestrationId);
  expect(await store.sessions.insert(insert)).toBe(true);
  expect(await store.sessions.get(insert.id)).toMatchObject({
    id: insert.id,
    type: "testing",
    status: "initializing",
    project,
    dependencies: [],
    orchestrationId,
    metadata,
    options,
    sandboxName: insert.sandboxName,
    agentSessionId: null,
    workBranch: null,
    error: null,
    usage: NO_USAGE,
    createdAt: AT,
    requestedAt: null,
    admittedAt: null,
    startedAt: null,
    completedAt: null,
    cancelRequestedAt: null,
    budget: { costUsd: null, tokens: null, minutes: null },
    pause: null,
    policy: null,
    executorId: null,
    deadlineAt: null,
    openDependencies: 0,
  });
  expect(await store.events.readAfter(insert.id, 0, 10)).toEqual([
    {
      seq: 1,
      at: AT,
      kind: "session.created",
      body: { type: "testing", repository: "octo/greeter" },
    },
  ]);
  expect(await store.sessions.get(newId())).toBeNull();
});

test("many at once are all there, and one that is refused fails alone", async () => {
  await using store = await open();
  const twice = insertOf();
  const inserts = [...Array.from({ length: 250 }, () => insertOf()), twice];
  await store.sessions.insert(twice);
  const settled = await Promise.allSettled(inserts.map((insert) => store.sessions.insert(insert)));
  expect(settled.filter(({ status }) => status === "fulfilled")).toHaveLength(250);
  expect(settled.at(-1)).toMatchObject({ status: "rejected", reason: { code: "23505" } });
  const found = await Promise.all(inserts.map(({ id }) => store.sessions.get(id)));
  expect(found.map((session) => session?.id)).toEqual(inserts.map(({ id }) => id));
  // The one that was refused has left no trace in its log.
  expect((await store.events.end(twice.id)).lastSeq).toBe(1);
});

test("a list is the newest first, filtered, and goes on where it ended", async () => {
  await using store = await open();
  const orchestrationId = newId();
  const other = { repository: "octo/other", requirements: "x" };
  const inserts = [
    insertOf(),
    insertOf({ project: other }),
    insertOf({}, orchestrationId),
    insertOf({ project: other }, orchestrationId),
  ];
  for (const insert of inserts) await store.sessions.insert(insert);
  const ids = inserts.map(({ id }) => id).toReversed();
  const list = async (filter: object) =>
    (await store.sessions.list({ limit: 10, ...filter })).map(({ id }) => ids.indexOf(id));
  expect(await list({})).toEqual([0, 1, 2, 3]);
  expect(await list({ limit: 2 })).toEqual([0, 1]);
  expect(await list({ limit: 2, before: ids[1] })).toEqual([2, 3]);
  expect(await list({ repository: "octo/other" })).toEqual([0, 2]);
  expect(await list({ repository: "octo/other", before: ids[0] })).toEqual([2]);
  expect(await list({ orchestrationId })).toEqual([0, 1]);
  expect(await list({ status: "running" })).toEqual([]);
  expect(await list({ status: "initializing", repository: "'; drop table sessions" })).toEqual([]);
});

test("dependencies keep their order, and are followed in both directions", async () => {
  await using store = await open();
  // a <- b <- c, a <- c, c <- d; e stands alone.
  const [a, e] = [insertOf(), insertOf()];
  const b = insertOf({ dependencies: [a.id] });
  const c = insertOf({ dependencies: [b.id, a.id] });
  const d = insertOf({ dependencies: [c.id] });
  await inTransaction(store.database, (tx) =>
    insertWithin(
      tx,
      [a, b, c, d, e].map((insert) => ({
        insert,
        openDependencies: insert.session.dependencies.length,
      })),
    ),
  );
  const { db } = store.database;
  expect(await store.sessions.get(c.id)).toMatchObject({
    dependencies: [b.id, a.id],
    openDependencies: 2,
  });
  expect(await childrenOf(db, a.id)).toEqual(sorted(b, c));
  expect(await descendantsOf(db, a.id)).toEqual(sorted(b, c, d));
  expect(await descendantsOf(db, e.id)).toEqual([]);
  const read = await readWithin(db, [d.id, newId(), a.id]);
  expect(read.map(({ id }) => id)).toEqual(sorted(a, d));
});

test("an unknown dependency undoes the whole insert", async () => {
  await using store = await open();
  const [good, bad] = [insertOf(), insertOf({ dependencies: [newId()] })];
  const inserts = [good, bad].map((insert) => ({ insert, openDependencies: 0 }));
  await expect(
    inTransaction(store.database, (tx) => insertWithin(tx, inserts)),
  ).rejects.toMatchObject({ code: "23503" });
  expect(await store.sessions.get(good.id)).toBeNull();
  await expect(store.events.end(good.id)).rejects.toMatchObject({ code: "not_found" });
});
