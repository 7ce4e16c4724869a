import type { Repository } from "../../core/repository.ts";
import { liveWorkIn } from "../closed.ts";
import type { Work } from "../closed.ts";
import type { PlaceDeps, PlaceEvent, PlaceRule } from "./place.ts";
import { ends } from "./reach.ts";

const LIVE_SESSIONS = 1_000;
const REASONS: Record<string, string> = {
  "installation.deleted": "the App is not installed there any more",
  "installation.suspend": "the App is suspended there",
  "installation_repositories.removed": "the App was taken away there",
};

/** Work is ended where the bot is not wanted any more. */
export const withdrawnRule: PlaceRule = {
  name: "withdrawn",
  async decide(deps, event) {
    const why = REASONS[`${event.event}.${event.action}`];
    if (why === undefined) return null;
    const live = await liveOf(deps, event);
    const names = new Set([
      ...live.map(({ repository }) => repository),
      ...(event.payload.repositories_removed ?? []).map(({ full_name: name }) => name),
    ]);
    const lost: Repository[] = [];
    for (const name of names) if (!(await deps.isWanted(name))) lost.push(name);
    if (lost.length === 0)
      return names.size === 0 ? "nothing was at work there" : "the bot can still work there";
    return ends(
      deps,
      live.filter(({ repository }) => lost.includes(repository)),
      lost,
      why,
    );
  },
};

async function liveOf(deps: PlaceDeps, { event, payload }: PlaceEvent): Promise<Work[]> {
  if (event === "installation_repositories") {
    const ids = (payload.repositories_removed ?? []).map(({ id }) => id);
    return await liveWorkIn(deps, { repositoryIds: ids }, LIVE_SESSIONS);
  }
  const owner = payload.installation?.account?.login;
  return owner === undefined ? [] : await liveWorkIn(deps, { owner }, LIVE_SESSIONS);
}
