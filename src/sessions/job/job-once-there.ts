import type { Id } from "../../core/id.ts";
import type { Job } from "../../core/job.ts";
import type { SessionDeps } from "../deps.ts";
import { isForgeAway, waitedInVain } from "./forge-wait.ts";
import { jobOf } from "./job.ts";

/** Throws what may pass until the session has waited for too long, and `forbidden` then, which ends the runner's asking. */
export async function jobOnceThere(deps: SessionDeps, id: Id): Promise<Job> {
  try {
    return await jobOf(deps, id);
  } catch (error) {
    if (!isForgeAway(error)) throw error;
    throw (await waitedInVain(deps, id, error)) ?? error;
  }
}
