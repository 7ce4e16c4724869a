import { whole } from "./setting.ts";

/** Sessions that coordinate others. */
export const COORDINATION_SETTINGS = {
  coordinationSlots: whole(
    "CLAUDE_HUB_MAX_COORDINATIONS",
    "Sessions that coordinate others at the same time. They wait most of the time, and are not counted among those at work.",
    { min: 1, max: 10_000, fallback: "4" },
  ),
  coordinationChildren: whole(
    "CLAUDE_HUB_COORDINATION_MAX_SESSIONS",
    "Sessions that one of them may make.",
    { min: 1, max: 400, fallback: "20" },
  ),
  coordinationMs: whole(
    "CLAUDE_HUB_COORDINATION_LIFETIME_MS",
    "Time limit of one of them that names none, the time included in which it waits (ms).",
    { min: 1_000, max: 604_800_000, fallback: "86400000" },
  ),
};
