import type { ForgeRepository } from "../forge/forge.ts";
import type { SessionCheck } from "../store/threads/session-checks.ts";
import { ask } from "./ask.ts";
import { refusalFor } from "./authority.ts";
import { toldOf } from "./checks/told-of.ts";
import type { TriggerDeps } from "./deps.ts";
import type { ForgeEvent } from "./payload.ts";
import type { Rule } from "./rule.ts";
import type { Outcome } from "./worker.ts";

/** *Re-run* on a check that tells of a session begins another one for the same. */
export const rerunRule: Rule = {
  name: "rerun",
  async decide(deps, repository, event) {
    if (event.event !== "check_run" || event.action !== "rerequested") return null;
    const check = await toldOf(deps, event);
    if (typeof check === "string") return check;
    const refusal = await refusalFor(deps.settings, repository, event.sender);
    if (refusal !== null) return refusal;
    return {
      would: `begins a session of the kind ${check.kind} again`,
      act: () => again(deps, repository, event, check),
    };
  },
};

async function again(
  deps: TriggerDeps,
  repository: ForgeRepository,
  event: ForgeEvent,
  { number, kind }: SessionCheck,
): Promise<Outcome> {
  const issue = await repository.issue(number);
  if (issue.isLocked) return { state: "ignored", outcome: "the conversation is locked" };
  const about = { ...event, number };
  const cause = `rerun:${event.deliveryId}`;
  const asked = await ask(deps, repository, {
    event: about,
    cause,
    kind,
    source: { kind: "thread" },
    instruction:
      kind === "review"
        ? "Review the pull request."
        : "Try once more what was asked before on this thread.",
    line: null,
    issue,
    pullRequest: issue.isPullRequest ? await repository.pullRequest(number) : null,
  });
  if (typeof asked === "string") return { state: "ignored", outcome: asked };
  return { state: "done", outcome: `session ${asked.sessionId} was begun` };
}
