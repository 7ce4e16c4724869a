import { assert, asyncProperty } from "fast-check";
import { expect, inject, test } from "vitest";
import { sql } from "kysely";
import type { Id } from "../../src/core/id.ts";
import type { OrchestratedSession, OrchestrationView } from "../../src/core/orchestration.ts";
import { graphOf, mayIntegrate } from "../../src/core/plan-graph.ts";
import { Plan } from "../../src/core/plan.ts";
import { advance } from "../../src/orchestration/advance.ts";
import { NewOrchestration } from "../../src/orchestration/orchestrations.ts";
import { endWithin } from "../../src/sessions/ending/ending.ts";
import { createBeforeStore } from "../../src/store/sessions/before.ts";
import { lockSessions } from "../../src/store/log/events.ts";
import { anyHistory } from "../kit/hub/plan-history.ts";
import type { Fate, Step } from "../kit/hub/plan-history.ts";
import { openSessionLife } from "../kit/hub/session-life.ts";
import type { TestLife } from "../kit/hub/session-life.ts";

const SLOTS = 3;
const FINAL = ["completed", "failed", "cancelled"];

test(
  "whatever fails, is cancelled or crashes: every session ends as its history implies",
  { timeout: 400_000 },
  async () => {
    await using house = await openSessionLife({
      serverUrl: inject("databaseServer"),
      slots: SLOTS,
    });
    await assert(
      asyncProperty(anyHistory, async ({ plan, fates, steps, stopAfter }) => {
        const play = await begin(house, Plan.parse(plan), fates);
        for (const [index, one] of steps.entries()) {
          if (index === stopAfter) await play.stop();
          await play.take(one);
          await play.check();
        }
        await play.drain();
        await play.checkEnd();
      }),
      { numRuns: 30 },
    );
  },
);

async function begin(house: TestLife, plan: Plan, fates: readonly Fate[]) {
  const { orchestrations, life, database, deps } = house;
  const { orchestrationId: id } = await orchestrations.create(
    NewOrchestration.parse({
      project: { repository: "octo/greeter", requirements: "Do it." },
      autoStart: true,
      plan: { ...plan, pullRequest: false },
    }),
  );
  const graph = graphOf(plan);
  const basesOf = createBeforeStore(database).branches;
  const admitted = new Map<Id, Fate>();
  const byHand = new Set<Id>();
  let stopped = false;

  const sessions = () => deps.store.sessions(id, 1_000);
  const fateOf = (one: Id): Fate => admitted.get(one) ?? "completed";

  /** Who gets its slot is looked at as soon as it has: that it was too early would not be seen later. */
  async function check(): Promise<void> {
    const running = await house.running();
    expect(running.length).toBeLessThanOrEqual(SLOTS);
    const all = await sessions();
    for (const one of all) {
      if (!running.includes(one.sessionId) || admitted.has(one.sessionId)) continue;
      admitted.set(one.sessionId, fates[admitted.size % fates.length] ?? "completed");
      for (const before of comesAfter(one))
        expect([one, before, isMet(before, all)]).toEqual([one, before, true]);
    }
  }

  function comesAfter(one: OrchestratedSession): { task: string; isNeeded: boolean }[] {
    if (one.role === "integrator")
      return plan.tasks.map(({ id: task }) => ({ task, isNeeded: mustComplete(plan, task) }));
    return graph.edges
      .filter(({ task }) => task === one.taskId)
      .map(({ after, why }) => ({
        task: after,
        isNeeded: why !== "files" && mustComplete(plan, after),
      }));
  }

  async function end(one: Id): Promise<void> {
    const { cancelRequestedAt } = await life.sessions.get(one);
    const status = cancelRequestedAt === null ? statusOf(fateOf(one)) : "cancelled";
    const pushes = fateOf(one) === "pushed";
    const error = status === "completed" ? {} : { error: "No." };
    await house.finish(one, { outcome: status, pushes, ...error });
  }

  /** What `settle` does in its transaction, and no more: the hub is gone right after, or right before. */
  async function endAndDie(one: Id, keep: boolean): Promise<void> {
    const { cancelRequestedAt } = await life.sessions.get(one);
    const status = cancelRequestedAt === null ? statusOf(fateOf(one)) : "cancelled";
    if (fateOf(one) === "pushed") await house.push(one);
    const error = status === "completed" ? null : "No.";
    const dying = database.db.transaction().execute(async (tx) => {
      await lockSessions(tx, [one]);
      await endWithin(tx, one, { status, error, events: [] }, new Date());
      if (!keep) throw new Error("the hub was killed");
    });
    await dying.catch((cause: unknown) => {
      if (keep) throw cause;
    });
  }

  async function take({ do: what, pick }: Step): Promise<void> {
    const running = await house.running();
    const one = running[pick % Math.max(1, running.length)];
    const other = running[(pick + 1) % Math.max(1, running.length)];
    if (what === "look") await advance(deps, id);
    else if (what === "cancel") await cancelOne(pick);
    else if (one === undefined) await life.upkeep.admit();
    else if (what === "finish") await end(one);
    else if (what === "finishTwo")
      await Promise.all([...new Set([one, other ?? one])].map((each) => end(each)));
    else if (what === "say") await life.intake.record(one, "progress.reported", { text: "Hello" });
    else await endAndDie(one, what === "dieAfter");
  }

  async function cancelOne(pick: number): Promise<void> {
    const open = (await sessions()).filter(({ completedAt }) => completedAt === null);
    const one = open[pick % Math.max(1, open.length)];
    if (one === undefined) return;
    byHand.add(one.sessionId);
    await life.sessions.cancel(one.sessionId);
  }

  async function stop(): Promise<void> {
    const view = await orchestrations.get(id);
    if (FINAL.includes(view.state)) return;
    stopped = true;
    await orchestrations.cancel(id);
  }

  async function drain(): Promise<void> {
    for (let round = 0; round < 100; round += 1) {
      await life.upkeep.admit();
      await check();
      const running = await house.running();
      for (const one of running) await end(one);
      if ((await sessions()).every(({ completedAt }) => completedAt !== null)) {
        // Two hubs at the same moment.
        await Promise.all([advance(deps, id), advance(deps, id)]);
        if ((await sessions()).every(({ completedAt }) => completedAt !== null)) return;
        continue;
      }
      expect(running.length, "somebody waits, and nobody works").toBeGreaterThan(0);
    }
    throw new Error("it does not come to an end");
  }

  async function checkEnd(): Promise<void> {
    const view = await orchestrations.get(id);
    const all = view.sessions;
    for (const one of all) checkSession(one, all);
    const done = plan.tasks.map(
      (task) => task.onFailure === "continue" || isDone(ofTask(all, task.id)),
    );
    const integrator = all.find(({ role }) => role === "integrator");
    const loose = await looseOf(all);
    const isWanted = plan.integrate && done.every(Boolean) && loose.length > 1;
    const isComplete = done.every(Boolean) && (!isWanted || integrator?.status === "completed");
    expect(view.state).toBe(isComplete ? "completed" : stopped ? "cancelled" : "failed");
    expect(view.error === null).toBe(isComplete);
    checkIntegration(view, { loose, isWanted });
    await checkLogs(all);
  }

  /** Branches that no session begins on are told by the query that says where sessions begin. */
  async function looseOf(all: readonly OrchestratedSession[]): Promise<OrchestratedSession[]> {
    const counting = all.filter(
      ({ role, place, status, sessionId, workBranch }) =>
        role === "task" &&
        workBranch !== null &&
        (place === "current" || place === "chosen") &&
        status === "completed" &&
        fateOf(sessionId) === "pushed",
    );
    const begunOn = new Set<string>();
    for (const { sessionId } of counting) {
      const [only, ...more] = await basesOf(sessionId);
      if (only !== undefined && more.length === 0) begunOn.add(only);
    }
    return counting.filter(({ workBranch }) => !begunOn.has(workBranch ?? ""));
  }

  function checkIntegration(
    { sessions: all, branch }: OrchestrationView,
    { loose, isWanted }: { loose: readonly OrchestratedSession[]; isWanted: boolean },
  ): void {
    const integrators = all.filter(({ role }) => role === "integrator");
    if (!stopped) expect(integrators).toHaveLength(isWanted ? 1 : 0);
    expect(integrators.length).toBeLessThanOrEqual(isWanted ? 1 : 0);
    const [made] = integrators;
    if (made !== undefined) {
      expect(mayIntegrate(plan)).toBe(true);
      for (const { sessionId } of loose) expect(made.dependencies).toContain(sessionId);
    }
    const hasMerged = made?.status === "completed" && fateOf(made.sessionId) === "pushed";
    const result = hasMerged ? made : loose.length === 1 ? loose[0] : undefined;
    expect(branch).toBe(result?.workBranch ?? null);
  }

  function checkSession(one: OrchestratedSession, all: readonly OrchestratedSession[]): void {
    const fate = admitted.get(one.sessionId);
    const isTold = stopped || byHand.has(one.sessionId);
    if (fate === undefined) {
      expect(one.status).toBe("cancelled");
      const why = comesAfter(one).some((before) => !isMet(before, all));
      expect([one, isTold || why]).toEqual([one, true]);
      return;
    }
    expect([statusOf(fate), ...(isTold ? ["cancelled"] : [])]).toContain(one.status);
    const own = ofTask(all, one.taskId);
    const retries = retriesOf(one.taskId);
    if (one.place === "replaced") {
      expect(one.status).toBe("failed");
      expect(own.some(({ round }) => round === one.round + 1)).toBe(true);
    } else if (one.status === "failed" && !stopped && retries > 0)
      expect(one.round).toBe(retries + 1);
    const attempts = own.filter(({ place }) => place === "chosen" || place === "passed_over");
    if (attempts.length > 0) {
      const [chosen, ...more] = attempts.filter(({ place }) => place === "chosen");
      expect(more).toEqual([]);
      const best = attempts.some(({ status }) => status === "completed");
      expect(chosen?.status === "completed").toBe(best);
    }
  }

  function retriesOf(taskId: string | null): number {
    const policy = plan.tasks.find((task) => task.id === taskId)?.onFailure;
    return typeof policy === "object" ? policy.retry : 0;
  }

  async function checkLogs(all: readonly OrchestratedSession[]): Promise<void> {
    const { rows } = await sql<{ session_id: string; ends: number; count: number; last: number }>`
      select session_id, count(*)::int as count, max(seq) as last,
        (count(*) filter (where kind in ('session.completed', 'session.failed', 'session.cancelled')))::int as ends
      from events where session_id = any(${all.map(({ sessionId }) => sessionId)}::uuid[])
      group by session_id`.execute(database.db);
    expect(rows).toHaveLength(all.length);
    for (const row of rows) expect(row).toMatchObject({ ends: 1, count: row.last });
  }

  await check();
  return { take, stop, check, drain, checkEnd };
}

function statusOf(fate: Fate): "completed" | "failed" {
  return fate === "failed" ? fate : "completed";
}

function ofTask(all: readonly OrchestratedSession[], taskId: string | null) {
  return all.filter((one) => one.taskId === taskId);
}

/** The session that counts has completed. */
function isDone(own: readonly OrchestratedSession[]): boolean {
  return own.some(
    ({ place, status }) => status === "completed" && (place === "current" || place === "chosen"),
  );
}

function isMet(
  { task, isNeeded }: { task: string; isNeeded: boolean },
  all: readonly OrchestratedSession[],
): boolean {
  const own = all.filter(({ taskId }) => taskId === task);
  return isNeeded ? isDone(own) : own.every(({ status }) => FINAL.includes(status));
}

function mustComplete(plan: Plan, task: string): boolean {
  return plan.tasks.find(({ id }) => id === task)?.onFailure !== "continue";
}
