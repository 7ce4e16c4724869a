import { Repository } from "../../core/repository.ts";
import { liveWorkIn } from "../closed.ts";
import type { PlaceEvent, PlaceRule } from "./place.ts";
import { ends, reach } from "./reach.ts";

const LIVE_SESSIONS = 1_000;

/** What was asked for in a repository follows it to its new name or owner. */
export const movedRule: PlaceRule = {
  name: "moved",
  async decide(deps, event) {
    const { action, repository } = event;
    if (event.event !== "repository" || repository === null) return null;
    if (action !== "renamed" && action !== "transferred") return null;
    const facts = await reach(deps.forge, repository.name);
    if (facts === null || facts.id !== repository.id) {
      const live = await liveWorkIn(deps, { repositoryIds: [repository.id] }, LIVE_SESSIONS);
      if (live.length === 0) return "nothing was at work there";
      const names = [...new Set(live.map(({ repository: name }) => name))];
      return ends(deps, live, names, "the repository went where the bot cannot work");
    }
    const to = facts.name;
    const from = nameBefore(event);
    return {
      would: `lets what was asked there follow to ${to}`,
      async act() {
        const count = await deps.places.move({
          repositoryId: repository.id,
          from,
          to,
          toldAt: event.receivedAt,
          at: deps.clock.now(),
        });
        if (from !== null && from !== to) await deps.forget(from);
        return { state: "done", outcome: `${count} sessions follow to ${to}` };
      },
    };
  },
};

/** As the delivery says; by the repository's number more is found. */
function nameBefore({ payload, repository }: PlaceEvent): Repository | null {
  const [owner, name] = repository?.name.split("/") ?? [];
  const { from } = payload.changes?.owner ?? {};
  const formerOwner = from?.user?.login ?? from?.organization?.login ?? owner;
  const formerName = payload.changes?.repository?.name?.from ?? name;
  const parsed = Repository.safeParse(`${formerOwner}/${formerName}`);
  return parsed.success && parsed.data !== repository?.name ? parsed.data : null;
}
