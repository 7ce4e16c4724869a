import { goOn, waitForStart } from "./commands.ts";
import { SessionOver } from "./gateway.ts";
import { messageOf } from "./message.ts";
import type { Outbox } from "./outbox.ts";
import { cloneWorkspace, gitOf } from "./place.ts";
import type { Place } from "./place.ts";
import { updateWorkspace } from "./workspace.ts";
import type { Workspace } from "./workspace.ts";

/** The workspace could not be made ready for a session that nobody has started. */
export class Unprepared extends Error {
  override name = "Unprepared";
}

/**
 * Makes the workspace ready before the session is started; nothing of the repository runs yet. When that fails the
 * runner ends without a result: it is not the session that has failed, and its start makes another sandbox.
 */
export async function prepareAndWait(
  given: Place,
  outbox: Outbox,
  untilMs: number,
): Promise<{ place: Place; workspace: () => Promise<Workspace> }> {
  try {
    const prepared = await cloneWorkspace(given, outbox);
    const { job, baseSha } = await waitForStart({ gateway: given.gateway, untilMs });
    await goOn({ gateway: given.gateway, untilMs });
    const git = gitOf(given);
    return {
      place: { ...given, job },
      workspace: () => updateWorkspace({ job, baseSha, prepared, git, outbox }),
    };
  } catch (error) {
    throw error instanceof SessionOver ? error : new Unprepared(messageOf(error));
  }
}
