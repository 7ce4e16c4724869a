import { sql } from "kysely";
import { expect, inject, test } from "vitest";
import { openSessionLife } from "../../../test/kit/hub/session-life.ts";
import { LIMITS } from "../../core/limits.ts";
import { NewSession } from "../../core/session.ts";

test("who has been told much hears of its budget all the same, and time ends who has spent all", async () => {
  await using house = await openSessionLife({ serverUrl: inject("databaseServer") });
  const { db } = house.database;
  const start = async () => {
    const { id } = await house.life.sessions.create(
      NewSession.parse({
        type: "implementation",
        project: { repository: "octo/greeter", requirements: "Greet." },
        options: { autoStart: true, budget: { costUsd: 1, minutes: 60 } },
      }),
    );
    await sql`update sessions set status = 'running', cost_usd = 0.9 where id = ${id}`.execute(db);
    return id;
  };
  const [full, spent, other] = [await start(), await start(), await start()];
  await sql`insert into session_messages (id, session_id, position, kind, text, sender, at)
    select gen_random_uuid(), ${full}, n, 'message', 'x', 'api', now()
    from generate_series(1, ${LIMITS.messagesWaiting}) n`.execute(db);
  // It asks its model for nothing more, and works on.
  await sql`update sessions set cost_usd = 2, admitted_at = now() - interval '2 hours' where id = ${spent}`.execute(
    db,
  );
  await house.life.upkeep.budgets();
  const { rows } = await sql`select id, budget_told_at is not null as told, stop_reason as stopped
    from sessions order by id`.execute(db);
  expect(rows).toEqual([
    { id: full, told: true, stopped: null },
    { id: spent, told: false, stopped: expect.stringContaining("60 minutes is used up") },
    { id: other, told: true, stopped: null },
  ]);
});
