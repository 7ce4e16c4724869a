import { sql } from "kysely";
import { expect, inject, test } from "vitest";
import { openSessionLife } from "../../test/kit/hub/session-life.ts";
import type { TestLife } from "../../test/kit/hub/session-life.ts";
import { amountsOf, NO_BOUNDS } from "../core/budget.ts";
import { NO_TERMS } from "../core/orchestration.ts";
import { Plan } from "../core/plan.ts";
import { NewSession } from "../core/session.ts";
import { sessionsFor } from "../sessions/seen.ts";
import { createRetentionStore } from "../store/sessions/retention.ts";
import { sharesOf } from "../store/spending/budgets.ts";
import { locked, makeSessions } from "./change.ts";
import { createChildren } from "./children.ts";
import { NewOrchestration } from "./orchestrations.ts";
import { planned } from "./planned.ts";

const project = { repository: "octo/greeter", requirements: "Greet in more languages." };

/** An orchestration with a session that coordinates, and one that it has had made. */
async function coordinated(house: TestLife) {
  const { orchestrationId } = await house.orchestrations.create(
    NewOrchestration.parse({ project, autoStart: true, options: { budget: { tokens: 1_000 } } }),
  );
  const { sessions } = await house.orchestrations.get(orchestrationId);
  const coordinator = await house.life.sessions.get(sessions[0]?.sessionId ?? "");
  const access = { tokenId: null, scopes: ["write" as const], repositories: null, orchestrationId };
  const children = createChildren({
    database: house.database,
    settings: house.deps.settings,
    again: house.life.again,
    sessions: sessionsFor(house.life.sessions, access),
  });
  const make = (call: number, more: { replaces?: string } = {}) =>
    children.create(
      { ...coordinator, orchestrationId },
      { session: session({}), title: `Part ${call}`, call, ...more },
    );
  return { orchestrationId, coordinator, make, child: await make(1) };
}

function session(more: Record<string, unknown>) {
  return NewSession.parse({ type: "implementation", project, ...more });
}

test("what belongs to an orchestration is changed by its own coordinator alone, and stays in it", async () => {
  await using house = await openSessionLife({ serverUrl: inject("databaseServer") });
  const { sessions, again } = house.life;
  const mine = await coordinated(house);
  const other = await coordinated(house);

  // Of another orchestration nothing is replaced.
  await expect(mine.make(2, { replaces: other.child.id })).rejects.toThrow(
    `replaces: ${other.child.id} is not a session that you have made`,
  );
  const theirs = await house.orchestrations.get(other.orchestrationId);
  expect(theirs.sessions.map(({ place }) => place)).toEqual(["current", "current"]);
  await mine.make(3, { replaces: mine.child.id });
  const own = await house.orchestrations.get(mine.orchestrationId);
  expect(own.sessions.map(({ place }) => place)).toEqual(["current", "replaced", "current"]);

  // Whoever goes on with one, in whichever words, shares its budget, and is bound as it is.
  const { orchestrationId, child } = mine;
  const terms = JSON.stringify({ maxTokens: 77, toolset: "none" });
  await sql`update sessions set terms = ${terms}, onto_branch = 'topic' where id = ${child.id}`.execute(
    house.database.db,
  );
  const next = await sessions.create(session({ continues: child.id }));
  expect(next).toMatchObject({ orchestrationId, continuesId: child.id, budget: { tokens: 77 } });
  const last = await again.continueWith(sessions, next.id, { requirements: "More." });
  expect(last).toMatchObject({ orchestrationId, budget: { tokens: 77 } });
  const { rows } = await sql`select terms->>'toolset' as toolset, onto_branch as branch
    from sessions where continues_id is not null`.execute(house.database.db);
  const alike = { toolset: "none", branch: "topic" };
  expect(rows).toEqual([alike, alike]);
  // What the hub itself has made goes on for somebody else, by its own terms.
  const ours = await sessions.create(session({ continues: last.id }), { terms: { maxTokens: 5 } });
  expect(ours).toMatchObject({ orchestrationId: null, budget: { tokens: 5 } });
});

test("sessions are kept, and have their part of the day, for as long as their orchestration runs", async () => {
  await using house = await openSessionLife({ serverUrl: inject("databaseServer") });
  const { orchestrationId: id } = await house.orchestrations.create(
    NewOrchestration.parse({
      project,
      autoStart: true,
      plan: {
        tasks: ["lost", "long"].map((name) => ({ id: name, title: name, requirements: "x" })),
        integrate: false,
      },
    }),
  );
  const [lost = "", long = ""] = await house.running();
  await house.finish(lost, { outcome: "failed", error: "No." });
  const retention = createRetentionStore(house.database);
  const { db } = house.database;
  await db
    .insertInto("day_reservations")
    .values({
      cause: "asked",
      session_id: id,
      repository_id: 1,
      repository: project.repository,
      cost_usd: 1,
      tokens: null,
      created_at: new Date(),
    })
    .execute();
  const one = { id: lost, orchestrationId: id, repository: project.repository };
  const day = { ...NO_BOUNDS, costUsd: 1 };
  const sharedIn = async () => {
    const found = await sharesOf(db, [one], { now: new Date(), day });
    return found.get(lost)?.map(({ scope }) => scope);
  };
  expect(await sharedIn()).toEqual([]);
  const later = new Date(Date.now() + 60_000);
  expect(await retention.deleteSessions(later)).toEqual([]);
  await house.finish(long);
  expect(await house.orchestrations.get(id)).toMatchObject({
    state: "failed",
    error: "Task lost failed: No.",
  });
  // What was set aside for it is given back, and nothing that goes on with it is beside the day.
  expect(await sharedIn()).toEqual(["day"]);
  expect((await retention.deleteSessions(later)).toSorted()).toEqual([lost, long]);
});

test("a pause is no work, also of a session that is cancelled while it is paused", async () => {
  await using house = await openSessionLife({ serverUrl: inject("databaseServer") });
  const { orchestrationId } = await house.orchestrations.create(
    NewOrchestration.parse({
      project,
      autoStart: true,
      plan: { tasks: [{ id: "a", title: "a", requirements: "x" }] },
      options: { budget: { minutes: 600 } },
    }),
  );
  const [id = ""] = await house.running();
  await sql`update sessions set status = 'running', admitted_at = now() - interval '5 hours' where id = ${id}`.execute(
    house.database.db,
  );
  await house.life.pauses.pause(id, "api");
  await sql`update sessions set paused_at = admitted_at + interval '1 hour' where id = ${id}`.execute(
    house.database.db,
  );
  await house.life.sessions.cancel(id);
  await house.finish(id, { outcome: "cancelled" });
  const ended = await house.life.sessions.get(id);
  expect(amountsOf(ended, new Date()).minutes).toBeCloseTo(60, 0);
  const { budget } = await house.orchestrations.get(orchestrationId);
  expect(budget.minutes?.used).toBeCloseTo(60, 0);
});

test("what collides with another one is made from its beginning, and nothing of before is left", async () => {
  await using house = await openSessionLife({ serverUrl: inject("databaseServer") });
  const tasks = ["a", "b"].map((one) => ({
    id: one,
    title: `About ${one}`,
    requirements: "Do it.",
  }));
  const plan = Plan.parse({ tasks });
  const { orchestrationId: id } = await house.orchestrations.create({
    ...NewOrchestration.parse({ project, plan }),
    autoStart: false,
  });
  let attempts = 0;
  const made = await makeSessions(house.life, id, async (tx) => {
    attempts += 1;
    const one = planned(await locked(tx, id), plan, NO_TERMS);
    if (attempts === 1)
      await sql`do $$ begin raise 'collided' using errcode = '40001'; end $$`.execute(tx);
    return one;
  });
  expect(attempts).toBe(2);
  const { sessions } = await house.orchestrations.get(id);
  expect(sessions.map(({ sessionId }) => sessionId)).toEqual(made?.nodes.map((node) => node.id));
});
