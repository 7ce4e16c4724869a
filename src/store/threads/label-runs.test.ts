import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { createTestDatabase } from "../../../test/kit/hub/database.ts";
import { newId } from "../../core/id.ts";
import type { Id } from "../../core/id.ts";
import { openDatabase } from "../database.ts";
import type { Database } from "../database.ts";
import { createLabelRunStore } from "./label-runs.ts";
import type { LabelRunStore } from "./label-runs.ts";
import { migrate } from "../migrator.ts";

const AT = new Date("2026-01-01T00:00:00Z");
const HOUR_BEFORE = new Date("2025-12-31T23:00:00Z");

const parts = new AsyncDisposableStack();
let runs: LabelRunStore;
beforeAll(async () => {
  const { url } = parts.use(await createTestDatabase(inject("databaseServer")));
  await migrate(url);
  const database: Database = parts.use(
    openDatabase({ url, maxConnections: 8, onIdleError: () => undefined }),
  );
  runs = createLabelRunStore(database);
});
afterAll(async () => {
  await parts.disposeAsync();
});

let causes = 0;
async function begin(
  repositoryId: number,
  more: { most?: number; asked?: boolean; cause?: string } = {},
): Promise<{ id: Id; begun: string }> {
  causes += 1;
  const id = newId();
  const begun = await runs.begin(
    {
      sessionId: id,
      cause: more.cause ?? `cause ${causes}`,
      repositoryId,
      repository: "octo/greeter",
      number: causes,
      source: more.asked === true ? { kind: "comment", id: causes } : null,
    },
    {
      at: new Date(AT.getTime() + causes),
      bound: more.most === undefined ? null : { since: HOUR_BEFORE, most: more.most },
    },
  );
  return { id, begun };
}

const LATER = new Date("2026-01-01T01:00:00Z");
const claimBy = async (executorId: string) =>
  (await runs.claim({ executorId, leaseMs: 60_000, limit: 50, now: LATER })).map(
    ({ sessionId }) => sessionId,
  );

test("one cause makes one run, and side by side no more than the bound are begun", async () => {
  expect((await begin(1, { cause: "same" })).begun).toBe("begun");
  expect((await begin(1, { cause: "same" })).begun).toBe("known");
  const many = await Promise.all(Array.from({ length: 12 }, () => begin(2, { most: 5 })));
  expect(many.filter(({ begun }) => begun === "begun")).toHaveLength(5);
  expect(await runs.countSince(2, HOUR_BEFORE)).toBe(5);
  expect((await begin(2, { asked: true })).begun).toBe("begun");
  expect((await begin(3, { most: 5 })).begun).toBe("begun");
  for (;;) {
    const left = await claimBy("clean-up");
    if (left.length === 0) break;
    for (const id of left) await runs.done(id, "", LATER);
  }
});

test("of a repository one is chosen for at a time, people's first, and by one hub", async () => {
  const [first, second] = [await begin(4), await begin(4)];
  const wish = await begin(4, { asked: true });
  const other = await begin(5);
  expect((await claimBy("one")).toSorted()).toEqual([wish.id, other.id].toSorted());
  expect(await claimBy("two")).toEqual([]);
  await runs.asked(wish.id);
  await runs.done(other.id, "", LATER);
  expect(await claimBy("two")).toEqual([]);
  expect(await claimBy("one")).toEqual([wish.id]);
  expect(await runs.hold(wish.id, { executorId: "two", leaseMs: 1_000 })).toBe(false);
  await runs.done(wish.id, "bug", LATER);
  expect(await claimBy("two")).toEqual([first.id]);
  // What is put off keeps back nobody.
  await runs.putOff(first.id, { outcome: "away", dueAt: new Date(LATER.getTime() + 1) });
  expect(await claimBy("two")).toEqual([second.id]);
  await runs.release("two");
  expect(await claimBy("one")).toEqual([second.id]);
});
