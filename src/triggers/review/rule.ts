import type { ForgeRepository } from "../../forge/forge.ts";
import type { TriggerDeps } from "../deps.ts";
import { isAboutThread } from "../payload.ts";
import type { ForgeEvent, ThreadEvent } from "../payload.ts";
import type { Decision, Rule } from "../rule.ts";
import { endGates } from "./end.ts";

const ARMING = new Set(["opened", "reopened", "ready_for_review", "synchronize"]);
const ENDING: Record<string, string> = {
  closed: "it was closed",
  converted_to_draft: "it is a draft",
};

/** Pull requests are reviewed by themselves when their checks are green: what happens opens, wakes and closes their gates. */
export const reviewRule: Rule = {
  name: "review",
  async decide(deps, repository, event) {
    if (event.event === "pull_request" && isAboutThread(event)) {
      if (ARMING.has(event.action)) return await opened(deps, repository, event);
      const why = ENDING[event.action];
      return why === undefined ? null : await ended(deps, repository, event, why);
    }
    return await checked(deps, repository, event);
  },
};

async function opened(
  deps: TriggerDeps,
  repository: ForgeRepository,
  event: ThreadEvent,
): Promise<Decision> {
  const { number } = event;
  const { head, isDraft, state } = await repository.pullRequest(number);
  const automatic = deps.settings.review.automatic && state === "open" && !isDraft;
  const stale = (await deps.review.gates.live(event.repository.id, number)).filter(
    ({ sha }) => sha !== head.sha,
  );
  if (!automatic && stale.length === 0)
    return isDraft
      ? "it is a draft, and not reviewed"
      : "pull requests are not reviewed by themselves here";
  return {
    would: automatic ? "reviews it when its checks are green" : "ends the review of what it was",
    async act() {
      await endGates(deps, stale, { state: "superseded", reason: "the pull request has moved on" });
      if (automatic) await arm(deps, event, number, head.sha);
      return {
        state: "done",
        outcome: automatic ? "it waits for its checks" : "its review is off",
      };
    },
  };
}

async function ended(
  deps: TriggerDeps,
  repository: ForgeRepository,
  event: ThreadEvent,
  reason: string,
): Promise<Decision> {
  const live = await deps.review.gates.live(event.repository.id, event.number);
  if (live.length === 0) return "no review of it was to come";
  // Deliveries come late, and in any order.
  const { state, isDraft } = await repository.pullRequest(event.number);
  if (state === "open" && !isDraft) return "it is open, and no draft";
  return {
    would: `reviews it not, since ${reason}`,
    async act() {
      await endGates(deps, live, { state: "skipped", reason });
      return { state: "done", outcome: `it is not reviewed, since ${reason}` };
    },
  };
}

/** Something was said of a commit; what, is read from the forge when its gate is looked at. */
async function checked(
  deps: TriggerDeps,
  repository: ForgeRepository,
  event: ForgeEvent,
): Promise<Decision | null> {
  const found = checkedCommit(event);
  if (found === null) return null;
  if (!deps.settings.review.automatic) return "pull requests are not reviewed by themselves here";
  const { appId } = await deps.forge.self();
  if (found.appId !== null && found.appId === appId) return "it is a check of the hub itself";
  const { sha } = found;
  return {
    would: "looks at the checks of the pull requests that have this commit as their head",
    async act() {
      const { gates, ring } = deps.review;
      const { id } = event.repository;
      const woken = await gates.wake(id, sha, deps.clock.now());
      if (woken > 0) {
        ring();
        return { state: "done", outcome: `${woken} pull requests are looked at` };
      }
      // Not told of when they were opened; of single checks there are too many to ask each time.
      const isWorthAsking = event.event !== "check_run" && !(await gates.knows(id, sha));
      const pulls = isWorthAsking ? await repository.pullRequestsAt(sha) : [];
      for (const { number } of pulls.filter(({ isDraft }) => !isDraft))
        await arm(deps, event, number, sha);
      return pulls.length === 0
        ? { state: "ignored", outcome: "no pull request waits for it" }
        : { state: "done", outcome: `${pulls.length} pull requests wait for their checks` };
    },
  };
}

function checkedCommit({
  event,
  action,
  payload,
}: ForgeEvent): { sha: string; appId: number | null } | null {
  if (event === "status") return payload.sha == null ? null : { sha: payload.sha, appId: null };
  if (action !== "completed") return null;
  const about = { check_suite: payload.check_suite, check_run: payload.check_run };
  if (event === "check_suite" || event === "check_run") {
    const one = about[event];
    return one == null ? null : { sha: one.head_sha, appId: one.app?.id ?? null };
  }
  if (event !== "workflow_run" || payload.workflow_run == null) return null;
  return { sha: payload.workflow_run.head_sha, appId: null };
}

async function arm(
  { review, clock }: TriggerDeps,
  { repository }: ForgeEvent,
  number: number,
  sha: string,
): Promise<void> {
  await review.gates.arm({
    repositoryId: repository.id,
    repository: repository.name,
    number,
    sha,
    at: clock.now(),
  });
  review.ring();
}
