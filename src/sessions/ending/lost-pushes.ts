import type { Id } from "../../core/id.ts";
import type { SessionDeps } from "../deps.ts";
import { eventAt } from "../talk/event-at.ts";

const PUSHES = 1_000;

/**
 * Writes down pushes that the forge has taken although the hub died before it heard of it: nobody pushes them again,
 * since git finds everything up to date.
 */
export async function recordLostPushes(deps: SessionDeps, id: Id): Promise<void> {
  const tried = await deps.branches.pushing(id);
  if (tried.length === 0) return;
  const known = await deps.events.readKinds(id, ["branch.pushed"], PUSHES);
  const lost = tried.filter(({ branch, sha }) =>
    known.every(({ body }) => body["branch"] !== branch || body["sha"] !== sha),
  );
  for (const { repository, branch, sha } of lost) {
    const head = await headOf(deps, repository, branch);
    if (head !== sha) continue;
    const body = { branch, sha, url: deps.repositories.urlOf(repository, branch) };
    const events = [eventAt(deps.clock.now(), "branch.pushed", body)];
    await deps.events.append({ sessionId: id, events });
  }
}

/** Null: there is no such branch, or the forge cannot be asked; the session ends all the same. */
async function headOf(deps: SessionDeps, repository: string, branch: string) {
  try {
    return (await deps.repositories.branches(repository, 0)).head(branch);
  } catch (error) {
    deps.log.warn({ err: error, repository, branch }, "it is not known whether a push was taken");
    return null;
  }
}
