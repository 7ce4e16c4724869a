import { newId } from "../../core/id.ts";
import type { Source } from "../../store/threads/asked.ts";
import type { TriggerDeps } from "../deps.ts";
import { isAboutThread } from "../payload.ts";
import type { ThreadEvent } from "../payload.ts";
import type { Rule } from "../rule.ts";
import { dayBudgetRefusal } from "../settings/day-budget.ts";
import type { Outcome } from "../worker.ts";
import { handsOn } from "./touched.ts";

const HOUR_MS = 3_600_000;
const ACTIONS = new Set(["opened", "reopened", "edited"]);

/** Labels for issues, whoever opens them, each looked at once. Nobody has to be allowed anything to have their issue labelled. */
export const labelsRule: Rule = {
  name: "labels",
  async decide(deps, repository, event) {
    if (event.event !== "issues" || !ACTIONS.has(event.action) || !isAboutThread(event))
      return null;
    const { labels, triggers } = deps.settings;
    if (labels.mode === "off" || !triggers.autoLabel) return null;
    const { changes } = event.payload;
    const isReworded = changes?.title?.from != null || changes?.body?.from != null;
    if (event.action === "edited" && !isReworded) return "its text was not changed";
    const cause = causeOf(event);
    const { perHour, runs } = deps.labelling;
    if ((await runs.ofCause(cause)) !== null) return KNOWN;
    const since = new Date(deps.clock.now().getTime() - HOUR_MS);
    // Before anything is read of GitHub, which a flood would use up.
    if ((await runs.countSince(event.repository.id, since)) >= perHour) return tooMany(perHour);
    const issue = await repository.issue(event.number);
    const { account } = await deps.forge.self();
    if (issue.author.id === account.id) return "the bot itself has opened it";
    if (issue.state !== "open") return "it is closed";
    const hands = handsOn(await repository.labelChanges(event.number), issue, account);
    if (hands.byOthers) return "somebody has seen to its labels";
    const refusal = await dayBudgetRefusal(deps, event, cause);
    if (refusal !== null) return refusal;
    return {
      would: labels.mode === "on" ? "chooses labels for it" : "chooses labels, and puts none",
      act: () => beginLabels(deps, event, { cause, source: null }),
    };
  },
};

/** Has labels chosen for a thread. Safe to repeat. */
export async function beginLabels(
  { labelling, clock }: Pick<TriggerDeps, "labelling" | "clock">,
  { repository, number }: ThreadEvent,
  { cause, source }: { cause: string; source: Source | null },
): Promise<Outcome> {
  const at = clock.now();
  const { perHour } = labelling;
  const bound = source === null ? { since: new Date(at.getTime() - HOUR_MS), most: perHour } : null;
  const of = { repositoryId: repository.id, repository: repository.name, number };
  const begun = await labelling.runs.begin(
    // Whoever asks by the comment that opened the issue asks for something else than the issue itself does.
    { sessionId: newId(), cause: source === null ? cause : `asked ${cause}`, source, ...of },
    { at, bound },
  );
  if (begun === "over") return { state: "ignored", outcome: tooMany(perHour) };
  labelling.ring();
  return { state: "done", outcome: "labels are being chosen" };
}

function causeOf({ repository, number }: ThreadEvent): string {
  return `issue:${repository.id}#${number}`;
}

const KNOWN = "its labels have been thought of before";

function tooMany(perHour: number): string {
  return `more than ${perHour} issues have come within an hour, so its labels are left to people (CLAUDE_HUB_AUTO_LABEL_PER_HOUR)`;
}
