import { REPOSITORY_SETTINGS_PATH } from "../../core/repository-settings.ts";
import type { Repository } from "../../core/repository.ts";
import type { StoredSession } from "../../store/sessions/session-row.ts";
import type { SessionDeps } from "../deps.ts";
import { isForgeAway } from "../job/forge-wait.ts";
import { eventAt } from "../talk/event-at.ts";

/**
 * The image that a session's repository asks for and may have; null: the usual one. Throws `upstream_failed` while the forge is
 * away, unless there is a sandbox already: it stays as it is.
 */
export async function imageFor(
  deps: SessionDeps,
  { id, project, terms, sandboxName }: StoredSession,
): Promise<string | null> {
  const { allowedImages } = deps.settings;
  // Who sees nothing of the repository needs nothing of its image.
  if (allowedImages.length === 0 || terms.toolset === "none") return null;
  const read = await settingsOf(deps, project.repository, sandboxName);
  if (read === null) return null;
  const { settings, fault } = read;
  const { image } = settings;
  if (image !== null && allowedImages.includes(image)) return image;
  const reason = fault ?? (image === null ? null : `the image ${image} is not allowed here`);
  if (reason !== null) await tellRefusal(deps, id, reason);
  return null;
}

async function settingsOf(deps: SessionDeps, repository: Repository, sandboxName: string) {
  try {
    return await deps.repositories.settings(repository);
  } catch (error) {
    if (isForgeAway(error) && (await deps.runtime.inspect(sandboxName)) !== "absent") return null;
    throw error;
  }
}

/** Once: a sandbox may take several attempts, and its runner asks as well. */
export async function tellRefusal(deps: SessionDeps, id: string, reason: string): Promise<void> {
  const told = await deps.events.readKinds(id, ["settings.refused"], 1);
  if (told.length > 0) return;
  const body = { path: REPOSITORY_SETTINGS_PATH, reason: deps.redaction.text(reason) };
  const events = [eventAt(deps.clock.now(), "settings.refused", body)];
  await deps.events.append({ sessionId: id, events });
}
