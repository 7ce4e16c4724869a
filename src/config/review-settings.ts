import { choice, flag, text, whole } from "./setting.ts";

const DAY_MS = 86_400_000;

/** Reviews of pull requests that nobody has asked for. Most names are those of the older system. */
export const REVIEW_SETTINGS = {
  reviewWhose: choice(
    "PR_REVIEW",
    "Whose pull requests are reviewed by themselves when their checks are green: nobody's, those of people who may ask the bot for work, or everybody's.",
    ["off", "members", "everybody"],
    { fallback: "members" },
  ),
  reviewWaitForAll: flag(
    "PR_REVIEW_WAIT_FOR_ALL_CHECKS",
    "Whether a review waits until all checks and statuses have passed.",
    { fallbackText: "`true`, or `false` with `PR_REVIEW_TRIGGER_WORKFLOW`" },
  ),
  reviewWorkflow: text(
    "PR_REVIEW_TRIGGER_WORKFLOW",
    "Name of the workflow whose runs are waited for, where not all checks are.",
    { fallbackText: "the first check that passes" },
  ),
  reviewDebounceMs: whole(
    "PR_REVIEW_DEBOUNCE_MS",
    "How long checks must have been green before a review begins (ms).",
    { min: 0, max: DAY_MS, fallback: "30000" },
  ),
  reviewMaxWaitMs: whole(
    "PR_REVIEW_MAX_WAIT_MS",
    "How long checks that do not end are waited for (ms).",
    { min: 0, max: DAY_MS, fallback: "1800000" },
  ),
  reviewNoChecksMs: whole(
    "PR_REVIEW_CONDITIONAL_TIMEOUT_MS",
    "After this without any check a pull request is taken for one that gets none, and reviewed (ms).",
    { min: 0, max: DAY_MS, fallback: "300000" },
  ),
  reviewWhenLate: choice(
    "PR_REVIEW_WHEN_LATE",
    "What becomes of a pull request whose checks have not ended in time.",
    ["review", "skip"],
    { fallback: "skip" },
  ),
  reviewOwn: flag(
    "PR_REVIEW_OWN",
    "Whether pull requests that the bot has opened are reviewed, too.",
    { fallback: "false" },
  ),
  reviewApprove: flag(
    "PR_REVIEW_APPROVE",
    "Whether a review may approve; else it comments or requests changes.",
    { fallback: "false" },
  ),
};
