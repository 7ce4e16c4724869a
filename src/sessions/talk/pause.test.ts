import { sql } from "kysely";
import { expect, inject, test } from "vitest";
import { openSessionLife } from "../../../test/kit/hub/session-life.ts";
import type { TestLife } from "../../../test/kit/hub/session-life.ts";
import { waitFor } from "../../../test/kit/wait.ts";
import { LIMITS } from "../../core/limits.ts";
import { NewSession } from "../../core/session.ts";

const project = { repository: "octo/greeter", requirements: "Greet." };
const HOUR_MS = 3_600_000;

/** As if it had begun so long ago, and its agent were at work. */
async function atWork(house: TestLife, ids: string[], sinceMs: number): Promise<void> {
  const began = new Date(Date.now() - sinceMs);
  await sql`update sessions set status = 'running', admitted_at = ${began}, started_at = ${began}
    where id = any(${ids}::uuid[])`.execute(house.database.db);
}

async function start({ life }: TestLife): Promise<string> {
  const options = { autoStart: true };
  const made = await life.sessions.create(
    NewSession.parse({ type: "implementation", project, options }),
  );
  return made.id;
}

test("a pause of the hub's ends when its time has come, and not when a person has paused it since", async () => {
  await using house = await openSessionLife({ serverUrl: inject("databaseServer") });
  const { pauses, intake, sessions, upkeep } = house.life;
  const [due, later, mine] = [await start(house), await start(house), await start(house)];
  await atWork(house, [due, later, mine], HOUR_MS);
  const now = Date.now();
  await intake.pauseForProvider(due, 429, new Date(now - 1_000));
  await intake.pauseForProvider(later, 429, new Date(now + HOUR_MS));
  await intake.pauseForProvider(mine, 429, new Date(now - 1_000));
  // Chosen to go on at the very moment at which somebody pauses it.
  const { db } = house.database;
  const held = Promise.withResolvers<void>();
  const isLocked = Promise.withResolvers<void>();
  const person = db.transaction().execute(async (tx) => {
    await sql`select 1 from session_logs where session_id = ${mine} for update`.execute(tx);
    isLocked.resolve();
    await held.promise;
    await sql`update sessions set resume_due_at = null where id = ${mine}`.execute(tx);
  });
  await isLocked.promise;
  const look = upkeep.pauses();
  await waitFor(async () => {
    const { rows } = await sql`select 1 from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock'`.execute(db);
    return rows.length > 0;
  });
  held.resolve();
  await Promise.all([person, look]);
  expect((await sessions.get(due)).pause).toBeNull();
  expect((await sessions.get(later)).pause).not.toBeNull();
  expect((await sessions.get(mine)).pause).toMatchObject({ until: null });

  // However much it was told: whoever is paused goes on.
  await sql`insert into session_messages (id, session_id, position, kind, text, sender, at)
    select gen_random_uuid(), ${mine}, 100 + n, 'message', 'x', 'api', now()
    from generate_series(1, ${LIMITS.messagesWaiting}) n`.execute(db);
  await pauses.resume(mine, "api");
  expect((await sessions.get(mine)).pause).toBeNull();
  // It has heard too much to be paused: the provider's answer goes to its agent.
  expect(await intake.pauseForProvider(mine, 429, new Date(now + HOUR_MS))).toBe(false);
});
