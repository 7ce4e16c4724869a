import type { Id } from "../../core/id.ts";
import { appendWithin, lockSessions } from "../../store/log/events.ts";
import { asHubError } from "../../store/failure.ts";
import { forgetTokensWithin } from "../../store/sessions/prepared.ts";
import { insertResultWithin } from "../../store/sessions/results.ts";
import type { StoredSession } from "../../store/sessions/session-row.ts";
import { readWithin } from "../../store/sessions/sessions.ts";
import { inTransaction } from "../../store/transaction.ts";
import type { SessionDeps } from "../deps.ts";
import { eventAt } from "../talk/event-at.ts";
import { imageFor } from "./image.ts";
import { limitsFor } from "../limits.ts";
import { hasGoneOn, isSpare, withUsableSandbox } from "./withdraw.ts";

/**
 * Has the session's sandbox run, made now or adopted; safe to repeat, also by another hub after this one is gone.
 * Answers until when its exit is worth waiting for (milliseconds since 1970), or null when there is nothing to wait
 * for: it has ended already, or the session is to be cancelled.
 */
export async function ensureSandbox(deps: SessionDeps, id: Id): Promise<number | null> {
  for (;;) {
    const { untilMs, isSpare: mayDie } = await deps.inTurn(id, () => ensureInTurn(deps, id));
    // One that dies now is replaced by one that was not made in advance, so this ends.
    if (!mayDie || (await hasGoneOn(deps, id))) return untilMs;
  }
}

interface Ensured {
  untilMs: number | null;
  /** It was made in advance, and its runner has not gone on yet. */
  isSpare: boolean;
}

async function ensureInTurn(deps: SessionDeps, id: Id): Promise<Ensured> {
  const session = await withUsableSandbox(deps, await claimSandbox(deps, id));
  if (session === null || session.deadlineAt === null) return { untilMs: null, isSpare: false };
  const untilMs = Date.parse(session.deadlineAt) + deps.settings.graceMs;
  // On another machine: that machine's hub hears of its end, and may come back at any time.
  if (session.executorId !== deps.executorId) return { untilMs, isSpare: false };
  const name = session.sandboxName;
  const mayDie = isSpare(session);
  // Whatever its agent may have done to the traces of it, a sandbox that was there is not made a second time.
  if (!mayDie && session.sandboxCreatedAt !== null)
    if ((await deps.runtime.inspect(name)) !== "running") return { untilMs: null, isSpare: false };
  if (session.terms.toolset !== "none") warmUp(deps, session.project.repository);
  const outcome = await makeSandbox(deps, session);
  return { untilMs: outcome === "exited" && !mayDie ? null : untilMs, isSpare: mayDie };
}

/** Creates the session's sandbox or adopts it, and records it. */
export async function makeSandbox(
  deps: SessionDeps,
  session: StoredSession,
): Promise<"created" | "adopted" | "exited"> {
  const { id, sandboxName, options } = session;
  const image = await imageFor(deps, session);
  // One that is adopted has a token already; then this one is never handed out.
  const outcome = await deps.runtime.ensure({
    name: sandboxName,
    sessionId: id,
    token: await deps.tokens.issue(id),
    limits: limitsFor(deps.settings, options.limits),
    ...(image === null ? {} : { image }),
    report(kind, body) {
      const events = [eventAt(deps.clock.now(), kind, body)];
      // The sandbox matters more than what is told of it.
      deps.events.append({ sessionId: id, events }).catch((error: unknown) => {
        deps.log.warn({ err: error, sessionId: id }, "progress could not be told");
      });
    },
  });
  await recordSandbox(deps, id, outcome);
  return outcome;
}

/** Takes on the making of the sandbox, unless another hub has; null: none is wanted any more. */
async function claimSandbox(deps: SessionDeps, id: Id): Promise<StoredSession | null> {
  return await inTransaction(deps.database, async (tx) => {
    await lockSessions(tx, [id]);
    const [session] = await readWithin(tx, [id]);
    if (session === undefined || session.completedAt !== null) return null;
    const isElsewhere = session.executorId !== null && session.executorId !== deps.executorId;
    // What another hub has only prepared is left to it, as rubbish; that hub may be gone.
    const isLeft = isElsewhere && session.preparedAt !== null && isSpare(session);
    if (session.executorId !== null && !isLeft) return session;
    if (session.cancelRequestedAt !== null) return null;
    if (isLeft) await forgetTokensWithin(tx, id);
    const fresh = { executor_id: deps.executorId, sandbox_created_at: null, prepared_at: null };
    await tx.updateTable("sessions").set(fresh).where("id", "=", id).execute();
    return { ...session, executorId: deps.executorId, sandboxCreatedAt: null, preparedAt: null };
  });
}

/** The mirror is compared with the forge while the sandbox comes up; whoever needs it next shares the comparison. */
function warmUp(deps: SessionDeps, repository: string): void {
  deps.repositories.branches(repository).catch((error: unknown) => {
    deps.log.debug({ err: error, repository }, "mirror could not be warmed up");
  });
}

/** Notes that there is a sandbox, once, and each time that it was found again. */
export async function recordSandbox(
  deps: SessionDeps,
  id: Id,
  outcome: "created" | "adopted" | "exited",
): Promise<void> {
  await inTransaction(deps.database, async (tx) => {
    await lockSessions(tx, [id]);
    const [session] = await readWithin(tx, [id]);
    if (session === undefined || session.completedAt !== null) return;
    const at = deps.clock.now();
    const body = { name: session.sandboxName, runtime: deps.runtime.name };
    if (session.sandboxCreatedAt === null) {
      await tx
        .updateTable("sessions")
        .set({ sandbox_created_at: at })
        .where("id", "=", id)
        .execute();
      const events = [eventAt(at, "sandbox.created", body)];
      await appendWithin(tx, [{ sessionId: id, events }]);
    } else if (outcome === "adopted") {
      const events = [eventAt(at, "sandbox.adopted", body)];
      await appendWithin(tx, [{ sessionId: id, events }]);
    }
  });
}

/** Records that no sandbox could be made; the session will end as failed. */
export async function failSandbox(deps: SessionDeps, id: Id, cause: unknown): Promise<void> {
  deps.log.error({ err: cause, sessionId: id }, "sandbox could not be made");
  const why = cause instanceof Error ? cause.message : String(cause);
  await inTransaction(deps.database, async (tx) => {
    await lockSessions(tx, [id]);
    await insertResultWithin(
      tx,
      id,
      {
        outcome: "failed",
        error: `The sandbox could not be made: ${deps.redaction.text(why).slice(0, 1_000)}`,
        summary: "",
        nextSteps: [],
        artifacts: [],
        diff: "",
        answer: null,
        agentSessionId: null,
        lastSeq: 0,
      },
      deps.clock.now(),
    );
  });
}

/** Ends every process of the session's sandbox; answers what it said last, if it has left no result. */
export async function stopSandbox(deps: SessionDeps, id: Id): Promise<{ lastWords: string }> {
  const session = await deps.sessions.get(id).catch((error: unknown) => {
    throw asHubError(error);
  });
  if (session === null) return { lastWords: "" };
  const hasResult = (await deps.results.get(id)) !== null;
  const lastWords = hasResult ? "" : await deps.runtime.lastWords(session.sandboxName);
  await deps.runtime.stop(session.sandboxName);
  return { lastWords };
}
