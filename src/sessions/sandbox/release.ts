import { sql } from "kysely";
import { forbidden, unauthorized } from "../../core/errors.ts";
import type { Id } from "../../core/id.ts";
import type { RunnerStart } from "../../core/job.ts";
import { lockSessions } from "../../store/log/events.ts";
import type { StoredSession } from "../../store/sessions/session-row.ts";
import { readWithin } from "../../store/sessions/sessions.ts";
import { inTransaction } from "../../store/transaction.ts";
import type { SessionDeps } from "../deps.ts";
import { jobOnceThere } from "../job/job-once-there.ts";
import { whenTold } from "../talk/told.ts";

/**
 * Waits at most `waitMs` for the start of a session whose runner was made in advance. Whether anybody is alive to hear
 * the answer is not known yet: the runner says that it goes on before it does.
 */
export async function awaitStart(
  deps: SessionDeps,
  id: Id,
  waitMs: number,
  signal: AbortSignal,
): Promise<RunnerStart> {
  const start = await whenTold(deps, id, { waitMs, signal }, async () =>
    (await isStarted(deps, id)) ? await startOf(deps, id) : null,
  );
  return { start };
}

async function isStarted({ sessions }: SessionDeps, id: Id): Promise<boolean> {
  const session = await sessions.get(id);
  if (!isWanted(session)) throw unauthorized();
  return session.admittedAt !== null;
}

/**
 * Takes a runner's word that it goes on: from this answer on an agent may run in its sandbox, so that is recorded first.
 * Asked again, it answers the same.
 */
export async function release(deps: SessionDeps, id: Id): Promise<void> {
  await inTransaction(deps.database, async (tx) => {
    await lockSessions(tx, [id]);
    const [session] = await readWithin(tx, [id]);
    if (!isWanted(session)) throw unauthorized();
    if (session.admittedAt === null) throw forbidden("The session has not been started");
    if (session.releasedAt !== null) return;
    await tx
      .updateTable("sessions")
      .set({ released_at: deps.clock.now() })
      .where("id", "=", id)
      .execute();
    // Until now its sandbox was watched.
    await sql`select pg_notify('claude_hub_commands', ${id})`.execute(tx);
  });
}

/** Otherwise it was taken back, or is over. */
function isWanted(session: StoredSession | null | undefined): session is StoredSession {
  return session != null && session.preparedAt !== null && session.completedAt === null;
}

async function startOf(deps: SessionDeps, id: Id): Promise<RunnerStart["start"]> {
  const job = await jobOnceThere(deps, id);
  const { repository, baseBranch, commit } = job.workspace;
  if (commit !== null) return { job, baseSha: commit };
  if (baseBranch === null) return { job, baseSha: null };
  const branches = await deps.repositories.branches(repository);
  return { job, baseSha: branches.head(baseBranch) };
}
