import { sessionInsert } from "../../../test/kit/hub/session-insert.ts";
import { expect, inject, test } from "vitest";
import { createTestDatabase } from "../../../test/kit/hub/database.ts";
import { createApiTokens } from "../api-tokens.ts";
import { createBranchStore } from "./branches.ts";
import { openDatabase } from "../database.ts";
import { createEventStore } from "../log/events.ts";
import { createForgeWrites } from "../threads/forge-writes.ts";
import { createPlaceStore } from "./places.ts";
import { createSessionStore } from "./sessions.ts";
import { createThreadSessionStore } from "../threads/thread-sessions.ts";

const AT = "2026-01-02T00:00:00.000Z";
const SHA = "1".repeat(40);
const ID = 7;

async function open() {
  await using parts = new AsyncDisposableStack();
  const own = parts.use(await createTestDatabase(inject("databaseServer")));
  const database = parts.use(openDatabase({ url: own.url, maxConnections: 2 }));
  const sessions = createSessionStore(database);
  const threads = createThreadSessionStore(database);
  const all = parts.move();
  return {
    database,
    sessions,
    threads,
    places: createPlaceStore(database),
    writes: createForgeWrites(database),
    events: createEventStore(database),
    /** A session in a repository; with a number: one that was asked for there. */
    async session(repository: string, createdAt: string, repositoryId: number | null = null) {
      const project = { repository, requirements: "x" };
      const insert = sessionInsert(createdAt, { session: { project } });
      const { id } = insert;
      await sessions.insert(insert);
      if (repositoryId !== null)
        await threads.begin({
          sessionId: id,
          cause: id,
          repositoryId,
          repository,
          number: 1,
          kind: "work",
          asker: { id: 1, login: "ada" },
          source: { kind: "thread" },
          createdAt,
        });
      return id;
    },
    async move(from: string | null, to: string) {
      const move = { repositoryId: ID, from, to, toldAt: AT, at: new Date(AT) };
      return await createPlaceStore(database).move(move);
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

test("everything follows a repository to its new name, once; what is another's stays", async () => {
  await using own = await open();
  const asked = await own.session("octo/old", "2026-01-01T00:00:00Z", ID);
  const byApi = await own.session("octo/old", "2026-01-01T00:00:00Z");
  const ended = await own.session("octo/old", "2026-01-01T00:00:00Z");
  const later = await own.session("octo/old", "2026-01-03T00:00:00Z");
  const other = await own.session("octo/other", "2026-01-01T00:00:00Z", 8);
  await own.database.db
    .updateTable("sessions")
    .set({ completed_at: AT })
    .where("id", "=", ended)
    .execute();
  const branches = createBranchStore(own.database);
  await branches.claim("octo/old", "claude/a", asked, SHA);
  await branches.claim("octo/new", "claude/b", other, SHA);
  await branches.claim("octo/old", "claude/b", asked, SHA);
  const tokens = createApiTokens({ database: own.database, clock: { now: () => new Date(0) } });
  const made = await tokens.create({
    name: "t",
    scopes: ["read"],
    repositories: ["octo/other", "octo/old"],
  });
  await own.writes.begin("octo/old answer:1");
  await own.writes.done("octo/old answer:1", { id: 5, url: "there" });
  await own.writes.begin("octo/older answer:2");

  expect(await own.move(null, "octo/new")).toBe(3);
  expect(await own.move("octo/old", "octo/new")).toBe(0);
  // Who may look at it still may, and not at what may be called so next.
  expect(await tokens.find(made.secret.reveal())).toMatchObject({
    repositories: ["octo/other", "octo/new"],
  });
  const namesOf = async (...ids: string[]) =>
    await Promise.all(ids.map(async (id) => (await own.sessions.get(id))?.project.repository));
  expect(await namesOf(asked, byApi, ended, later, other)).toEqual([
    "octo/new",
    "octo/new",
    "octo/new",
    "octo/old",
    "octo/other",
  ]);
  expect(await own.threads.get(asked)).toMatchObject({ repository: "octo/new" });
  expect(await own.threads.get(other)).toMatchObject({ repository: "octo/other" });
  expect(await branches.owner("octo/new", "claude/a")).toBe(asked);
  expect(await branches.owner("octo/new", "claude/b")).toBe(other);
  expect(await own.writes.begin("octo/new answer:1")).toEqual({ id: 5, url: "there" });
  expect(await own.writes.begin("octo/older answer:2")).toBe("begun");
  const kinds = async (id: string) =>
    (await own.events.readAfter(id, 0, 10)).map(({ kind }) => kind);
  expect(await kinds(asked)).toContain("repository.moved");
  expect(await kinds(ended)).not.toContain("repository.moved");
});

test("old names lead to the newest one, for that repository alone", async () => {
  await using own = await open();
  await own.session("octo/one", "2026-01-01T00:00:00Z", ID);
  await own.move("octo/one", "octo/two");
  await own.move("octo/two", "mona/three");
  const now = async (id: number, name: string) => await own.places.current({ id, name });
  expect(await now(ID, "octo/one")).toBe("mona/three");
  expect(await now(ID, "octo/two")).toBe("mona/three");
  expect(await now(ID, "mona/three")).toBe("mona/three");
  expect(await now(9, "octo/one")).toBe("octo/one");
  // It may get its first name back.
  await own.move("mona/three", "octo/one");
  expect(await now(ID, "octo/one")).toBe("octo/one");
  expect(await now(ID, "octo/two")).toBe("octo/one");
});
