import { setTimeout as pause } from "node:timers/promises";
import type { Id } from "../../core/id.ts";
import { isUnavailable } from "../../store/failure.ts";
import type { SessionDeps } from "../deps.ts";
import { isForgeAway, waitedInVain } from "../job/forge-wait.ts";
import { ensureSandbox, failSandbox } from "./sandbox.ts";

const ATTEMPTS = 3;
const PAUSE_MS = 500;
const FORGE_PAUSE_MS = 1_000;

/**
 * The same as `ensureSandbox`, which is tried a few times, and for as long as the forge is away that has to be asked first.
 * When it stays in vain, the session has a result that says why.
 */
export async function ensure(deps: SessionDeps, id: Id): Promise<number | null> {
  for (let failures = 1; ;)
    try {
      return await ensureSandbox(deps, id);
    } catch (error) {
      if (isUnavailable(error)) throw error;
      if (isForgeAway(error)) {
        const tooLong = await waitedInVain(deps, id, error);
        if (tooLong !== null) await failSandbox(deps, id, tooLong);
        if (tooLong !== null || !(await isWanted(deps, id))) return null;
        await pause(FORGE_PAUSE_MS);
        continue;
      }
      if (failures === ATTEMPTS) {
        await failSandbox(deps, id, error);
        return null;
      }
      await pause(PAUSE_MS * failures);
      failures += 1;
    }
}

/** False: nothing is to be begun for it any more. */
async function isWanted({ sessions, clock }: SessionDeps, id: Id): Promise<boolean> {
  const session = await sessions.get(id);
  if (session === null || session.completedAt !== null || session.deadlineAt === null) return false;
  const { cancelRequestedAt, stopReason, deadlineAt } = session;
  if (cancelRequestedAt !== null || stopReason !== null) return false;
  return Date.parse(deadlineAt) > clock.now().getTime();
}
