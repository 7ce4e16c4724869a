import { sql } from "kysely";
import { expect, inject, test } from "vitest";
import { openSessionLife } from "../../test/kit/hub/session-life.ts";
import type { TestLife } from "../../test/kit/hub/session-life.ts";
import { waitFor } from "../../test/kit/wait.ts";
import type { Id } from "../core/id.ts";
import { startConductor } from "./conductor.ts";
import { NewOrchestration } from "./orchestrations.ts";

const serverUrl = inject("databaseServer");
const LONG = { timeoutMs: 30_000 };
const CONDUCTOR = { executorId: "a", leaseMs: 10_000, pollMs: 20 };

/** Of one task, whose session has a slot. */
async function began({ orchestrations }: TestLife): Promise<{ id: Id; sessionId: Id }> {
  const task = { id: "a", title: "About a", requirements: "Do it." };
  const { orchestrationId: id, sessions } = await orchestrations.create(
    NewOrchestration.parse({
      project: { repository: "octo/greeter", requirements: "Do it." },
      plan: { tasks: [task] },
      autoStart: true,
    }),
  );
  return { id, sessionId: sessions[0]?.id ?? "" };
}

async function rowOf({ database }: TestLife, id: Id) {
  return await database.db
    .selectFrom("orchestrations")
    .select(["state", "failures", "due_at"])
    .where("id", "=", id)
    .executeTakeFirstOrThrow();
}

test("an orchestration that cannot be moved on keeps no others waiting, and is looked at again later", async () => {
  await using house = await openSessionLife({ serverUrl });
  const { database } = house;
  const [broken, whole] = [await began(house), await began(house)];
  for (const { sessionId } of [broken, whole]) await house.finish(sessionId);
  const put = (state: string) =>
    sql`update orchestrations set kind = ${state}, due_at = null where id = ${broken.id}`.execute(
      database.db,
    );
  await put("no kind that there is");
  await using conductor = startConductor(house.deps, CONDUCTOR);
  await waitFor(async () => (await rowOf(house, whole.id)).state === "completed", LONG);
  const putOff = await waitFor(async () => {
    const row = await rowOf(house, broken.id);
    return row.failures > 0 && row;
  }, LONG);
  expect(putOff).toMatchObject({ state: "running", due_at: expect.any(Date) });
  await put("plan");
  conductor.ring();
  await waitFor(async () => (await rowOf(house, broken.id)).state === "completed", LONG);
});

test("one whose sessions cannot be cancelled keeps none from being cancelled, or moved on", async () => {
  await using house = await openSessionLife({ serverUrl });
  const { db } = house.database;
  const [broken, left, done] = [await began(house), await began(house), await began(house)];
  await house.finish(done.sessionId);
  // As it is when sessions were made at the moment at which all were cancelled.
  await sql`update orchestrations set cancel_requested_at = now()
    where id in (${broken.id}, ${left.id})`.execute(db);
  const put = (type: string) =>
    sql`update sessions set type = ${type} where id = ${broken.sessionId}`.execute(db);
  await put("no type that there is");
  await using conductor = startConductor(house.deps, CONDUCTOR);
  const isTold = async ({ sessionId }: { sessionId: Id }) => {
    const session = db.selectFrom("sessions").select("cancel_requested_at");
    const row = await session.where("id", "=", sessionId).executeTakeFirstOrThrow();
    return row.cancel_requested_at !== null;
  };
  await waitFor(async () => await isTold(left), LONG);
  await waitFor(async () => (await rowOf(house, done.id)).state === "completed", LONG);
  expect(await isTold(broken)).toBe(false);
  await put("implementation");
  conductor.ring();
  await waitFor(async () => await isTold(broken), LONG);
});
