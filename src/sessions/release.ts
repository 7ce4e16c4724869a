import { unauthorized } from "../core/errors.ts";
import type { Id } from "../core/id.ts";
import type { RunnerStart } from "../core/job.ts";
import { lockSessions } from "../store/events.ts";
import { readWithin } from "../store/sessions.ts";
import { inTransaction } from "../store/transaction.ts";
import type { SessionDeps } from "./deps.ts";
import { jobOf } from "./job.ts";
import { whenTold } from "./told.ts";

/**
 * Waits at most `waitMs` for the start of a session whose runner was made in advance. From this answer on an agent may
 * run in its sandbox, so that is recorded first; asked again, it answers the same.
 */
export async function awaitStart(
  deps: SessionDeps,
  id: Id,
  waitMs: number,
  signal: AbortSignal,
): Promise<RunnerStart> {
  const start = await whenTold(deps, id, { waitMs, signal }, async () =>
    (await release(deps, id)) ? await startOf(deps, id) : null,
  );
  return { start };
}

/** Records that the runner may go on; false: nobody has started the session yet. */
export async function release(deps: SessionDeps, id: Id): Promise<boolean> {
  return await inTransaction(deps.database, async (tx) => {
    await lockSessions(tx, [id]);
    const [session] = await readWithin(tx, [id]);
    // Taken back, or over: this runner is not wanted any more.
    if (session === undefined || session.preparedAt === null) throw unauthorized();
    if (session.completedAt !== null) throw unauthorized();
    if (session.admittedAt === null) return false;
    if (session.releasedAt === null)
      await tx
        .updateTable("sessions")
        .set({ released_at: deps.clock.now() })
        .where("id", "=", id)
        .execute();
    return true;
  });
}

async function startOf(deps: SessionDeps, id: Id): Promise<RunnerStart["start"]> {
  const job = await jobOf(deps, id);
  const { repository, baseBranch, commit } = job.workspace;
  if (commit !== null) return { job, baseSha: commit };
  if (baseBranch === null) return { job, baseSha: null };
  const branches = await deps.repositories.branches(repository);
  return { job, baseSha: branches.head(baseBranch) };
}
