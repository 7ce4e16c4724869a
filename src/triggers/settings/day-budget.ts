import type { TriggerDeps } from "../deps.ts";

const KNOWN_SESSIONS = 50;

/** Why no session is begun in a repository any more today, in one sentence; null: one may be. */
export async function dayBudgetRefusal(
  {
    settings,
    spending,
    threads,
    clock,
  }: Pick<TriggerDeps, "settings" | "spending" | "threads" | "clock">,
  { repository, number }: { repository: { id: number; name: string }; number: number },
  cause: string,
): Promise<string | null> {
  const { costUsd, tokens } = settings.budget.day;
  if (costUsd === null && tokens === null) return null;
  // What was begun before a crash is gone on with.
  const known = await threads.ofThread(repository.id, number, KNOWN_SESSIONS);
  if (known.some((one) => one.cause === cause)) return null;
  const spent = await spending.since(repository.name, dayOf(clock.now()));
  const isOver =
    (costUsd !== null && spent.costUsd >= costUsd) || (tokens !== null && spent.tokens >= tokens);
  if (!isOver) return null;
  const bounds = [
    costUsd === null ? "" : `$${spent.costUsd.toFixed(2)} of $${costUsd.toFixed(2)}`,
    tokens === null ? "" : `${spent.tokens} of ${tokens} tokens`,
  ].filter((part) => part !== "");
  return `This repository's budget for today is used up (${bounds.join(", ")}), so I begin nothing before midnight UTC.`;
}

function dayOf(now: Date): Date {
  return new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate()));
}
