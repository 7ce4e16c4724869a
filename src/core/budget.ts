import { z } from "zod";
import type { Session } from "./session.ts";

/** What can be used up. Time is that of agents at work, not that of the clock on the wall. */
const WHATS = ["costUsd", "tokens", "minutes"] as const;
export type BudgetWhat = (typeof WHATS)[number];

export type Amounts = Record<BudgetWhat, number>;
/** Null: no limit. */
export type Bounds = Record<BudgetWhat, number | null>;

export const NO_BOUNDS: Bounds = { costUsd: null, tokens: null, minutes: null };

/** As people are shown it; null: there is no limit. */
export const BudgetUse = z
  .object({ limit: z.number(), used: z.number(), remaining: z.number() })
  .nullable();
export const BudgetView = z.object({ costUsd: BudgetUse, tokens: BudgetUse, minutes: BudgetUse });
export type BudgetView = z.infer<typeof BudgetView>;

export interface Excess {
  what: BudgetWhat;
  limit: number;
  used: number;
}

/** Told to finish when this part of what there was is left. */
const NEAR_PART = 0.2;

export function asBounds(asked: { [What in BudgetWhat]?: number | null | undefined } = {}): Bounds {
  return {
    costUsd: asked.costUsd ?? null,
    tokens: asked.tokens ?? null,
    minutes: asked.minutes ?? null,
  };
}

export function budgetView(bounds: Bounds, used: Amounts): BudgetView {
  const use = (what: BudgetWhat) => {
    const limit = bounds[what];
    return limit === null
      ? null
      : { limit, used: used[what], remaining: Math.max(0, limit - used[what]) };
  };
  return { costUsd: use("costUsd"), tokens: use("tokens"), minutes: use("minutes") };
}

/** What has reached its limit; null: nothing has. */
export function usedUp(bounds: Bounds, used: Amounts): Excess | null {
  for (const what of WHATS) {
    const limit = bounds[what];
    if (limit !== null && used[what] >= limit) return { what, limit, used: used[what] };
  }
  return null;
}

export function remainingOf(bounds: Bounds, used: Amounts): Bounds {
  const left = (what: BudgetWhat) => {
    const limit = bounds[what];
    return limit === null ? null : Math.max(0, limit - used[what]);
  };
  return { costUsd: left("costUsd"), tokens: left("tokens"), minutes: left("minutes") };
}

/**
 * What is nearly used up.
 *
 * @param granted What there was when the session began: a fifth of that is little, whatever others have used before.
 */
export function nearlyUsedUp(granted: Bounds, bounds: Bounds, used: Amounts): Excess | null {
  for (const what of WHATS) {
    const limit = bounds[what];
    if (limit === null) continue;
    const had = Math.min(granted[what] ?? limit, limit);
    if (limit - used[what] <= had * NEAR_PART) return { what, limit, used: used[what] };
  }
  return null;
}

export function leastBounds(one: Bounds, other: Bounds): Bounds {
  const least = (what: BudgetWhat) => {
    const [a, b] = [one[what], other[what]];
    return a === null || b === null ? (a ?? b) : Math.min(a, b);
  };
  return { costUsd: least("costUsd"), tokens: least("tokens"), minutes: least("minutes") };
}

/** `$4.10 of $5.00`, `9000 of 10000 tokens`. */
export function excessText({ what, limit, used }: Excess): string {
  if (what === "costUsd") return `$${used.toFixed(2)} of ${limitText({ what, limit })}`;
  return `${Math.floor(used)} of ${limitText({ what, limit })}`;
}

export function limitText({ what, limit }: Pick<Excess, "what" | "limit">): string {
  if (what === "costUsd") return `$${limit.toFixed(limit < 0.1 ? 4 : 2)}`;
  return `${limit} ${what}`;
}

/** How a session stands to what it may use. */
export function budgetOf(session: Session, now: Date): BudgetView {
  return budgetView(session.budget, amountsOf(session, now));
}

export function amountsOf(
  {
    usage,
    admittedAt,
    completedAt,
    pause,
    pausedMs,
  }: Pick<Session, "usage" | "admittedAt" | "completedAt" | "pause" | "pausedMs">,
  now: Date,
): Amounts {
  const until = completedAt ?? pause?.at ?? now.toISOString();
  const workedMs = admittedAt === null ? 0 : Date.parse(until) - Date.parse(admittedAt) - pausedMs;
  const { inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens, costUsd } = usage;
  return {
    costUsd,
    tokens: inputTokens + outputTokens + cacheReadTokens + cacheWriteTokens,
    minutes: Math.max(0, workedMs) / 60_000,
  };
}
