import { isAboutThread } from "../payload.ts";
import type { ForgeEvent } from "../payload.ts";
import type { Rule } from "../rule.ts";

const MOVED = new Set(["opened", "reopened", "synchronize", "labeled"]);

/** Remembers commits whose checks have ended: they are looked at when they have been at rest for a while. */
export const repairRule: Rule = {
  name: "repair",
  async decide(deps, _repository, event) {
    const sha = commitOf(event);
    if (sha === null) return null;
    const { triggers, repair, label } = { ...deps.settings, label: event.payload.label?.name };
    if (!triggers.repair || repair.attempts === 0) return "failing checks are not mended here";
    if (event.action === "labeled" && label?.toLowerCase() !== repair.label?.toLowerCase())
      return "the label does not ask for repair";
    const { account } = await deps.forge.self();
    const { repository } = event;
    return {
      would: "looks at the checks of the commit when they are at rest",
      async act() {
        const isPersons = event.action === "synchronize" && event.sender.id !== account.id;
        if (isPersons && isAboutThread(event))
          await deps.repairs.reset(repository.id, event.number, sha);
        const at = deps.clock.now();
        await deps.repairs.wake({
          repositoryId: repository.id,
          repository: repository.name,
          sha,
          dueAt: new Date(at.getTime() + repair.quietMs),
          at,
        });
        return { state: "done", outcome: "the checks are looked at when they are at rest" };
      },
    };
  },
};

/** The commit whose checks may have come to rest by such an event. */
function commitOf({ event, action, payload }: ForgeEvent): string | null {
  if (event === "pull_request")
    return MOVED.has(action) ? (payload.pull_request?.head?.sha ?? null) : null;
  if (event === "status") return payload.sha ?? null;
  if (action !== "completed") return null;
  if (event === "check_suite") return payload.check_suite?.head_sha ?? null;
  if (event === "check_run") return payload.check_run?.head_sha ?? null;
  return event === "workflow_run" ? (payload.workflow_run?.head_sha ?? null) : null;
}
