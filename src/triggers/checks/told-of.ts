import { Id } from "../../core/id.ts";
import type { SessionCheck } from "../../store/threads/session-checks.ts";
import type { TriggerDeps } from "../deps.ts";
import type { ForgeEvent } from "../payload.ts";

/** The session that a check tells of, which somebody has pressed a button of; a sentence: it tells of none. */
export async function toldOf(
  { forge, checks }: TriggerDeps,
  { payload, repository }: ForgeEvent,
): Promise<SessionCheck | string> {
  const { appId } = await forge.self();
  const run = payload.check_run;
  if (run == null || appId === null || run.app?.id !== appId) return "the check is somebody else's";
  const id = Id.safeParse(run.external_id);
  const check = id.success ? await checks.of(id.data) : null;
  return check === null || check.repositoryId !== repository.id
    ? "the check tells of no session"
    : check;
}
