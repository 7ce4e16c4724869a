import { liveWorkIn } from "../closed.ts";
import type { PlaceRule } from "./place.ts";
import { ends, reach } from "./reach.ts";

const LIVE_SESSIONS = 1_000;

/** Work is ended where nothing can be written any more. */
export const goneRule: PlaceRule = {
  name: "gone",
  async decide(deps, { event, action, repository }) {
    if (event !== "repository" || repository === null) return null;
    if (action !== "deleted" && action !== "archived") return null;
    const facts = await reach(deps.forge, repository.name);
    const isThere = facts !== null && facts.id === repository.id;
    if (isThere && !facts.isArchived) return "the repository is there, and not archived";
    const live = await liveWorkIn(deps, { repositoryIds: [repository.id] }, LIVE_SESSIONS);
    const dropped = facts === null ? [repository.name] : [];
    if (live.length === 0 && dropped.length === 0) return "nothing was at work there";
    return ends(deps, live, dropped, `the repository was ${isThere ? "archived" : "deleted"}`);
  },
};
