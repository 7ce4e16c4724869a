import { MAX_REPAIRS } from "../core/repository-settings.ts";
import { amount, names, text, whole } from "./setting.ts";

const HOUR_MS = 3_600_000;

/** What the bot may do in repositories, at the most. */
export const BOT_SETTINGS = {
  allowedModels: names(
    "CLAUDE_HUB_ALLOWED_MODELS",
    "Models that a repository may choose in its settings, with commas.",
    { fallback: "" },
  ),
  dayMaxCostUsd: amount(
    "CLAUDE_HUB_REPOSITORY_DAY_MAX_COST_USD",
    "Dollars that the sessions of one repository may use on one day (UTC); then no more are begun there.",
    { fallbackText: "no limit" },
  ),
  dayMaxTokens: whole(
    "CLAUDE_HUB_REPOSITORY_DAY_MAX_TOKENS",
    "Tokens that the sessions of one repository may use on one day (UTC); then no more are begun there.",
    { min: 1, max: 1_000_000_000_000, fallbackText: "no limit" },
  ),
  repairAttempts: whole(
    "CLAUDE_HUB_REPAIR_ATTEMPTS",
    "How often the bot tries to mend the checks of one pull request; 0: never.",
    { min: 0, max: MAX_REPAIRS, fallback: String(MAX_REPAIRS) },
  ),
  repairLabel: text(
    "CLAUDE_HUB_REPAIR_LABEL",
    "Label that has the checks of somebody's pull request mended; without it only those of the bot's own are.",
  ),
  repairQuietMs: whole(
    "CLAUDE_HUB_REPAIR_QUIET_MS",
    "How long the checks of a commit must have been at rest before the bot mends them (ms).",
    { min: 0, max: HOUR_MS, fallback: "15000" },
  ),
};
