import type { BotSettings } from "../../core/bot-settings.ts";
import type { Spending } from "../../core/bot-settings.ts";
import type { Id } from "../../core/id.ts";
import type { TriggerDeps } from "../deps.ts";

const KNOWN_SESSIONS = 50;

/** Why no session is begun in a repository any more today, in one sentence; null: one may be, unless another one is first. */
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
  return isOver ? refusalOf(settings.budget.day, spent, null) : null;
}

/** What a session may use that is to be begun: its own limits, and of a budget of the day what is set aside for it. */
export type Reserved = { refusal: string } | { refusal: null; sessionId: Id; limits: Spending };

/** Sets aside of the repository's budget of the day what a session may use. Safe to repeat for the same cause. */
export async function reserveDay(
  {
    settings,
    spending,
    clock,
  }: Pick<TriggerDeps, "spending" | "clock"> & {
    settings: Pick<BotSettings, "budget">;
  },
  repository: { id: number; name: string },
  asked: { cause: string; sessionId: Id },
): Promise<Reserved> {
  const { day, session } = settings.budget;
  if (day.costUsd === null && day.tokens === null)
    return { refusal: null, sessionId: asked.sessionId, limits: session };
  const at = clock.now();
  const found = await spending.reserve({
    ...asked,
    repositoryId: repository.id,
    repository: repository.name,
    since: dayOf(at),
    at,
    day,
    session,
  });
  if (found.isOver) return { refusal: refusalOf(day, found.spent, found.setAside) };
  return { refusal: null, sessionId: found.sessionId, limits: found.limits };
}

interface Amounts {
  costUsd: number;
  tokens: number;
}

function refusalOf(
  { costUsd, tokens }: Spending,
  spent: Amounts,
  setAside: Amounts | null,
): string {
  const isSetAside = setAside !== null && setAside.costUsd + setAside.tokens > 0;
  const kept = isSetAside ? setAside : { costUsd: 0, tokens: 0 };
  const bounds = [
    costUsd === null
      ? ""
      : `$${(spent.costUsd + kept.costUsd).toFixed(2)} of $${costUsd.toFixed(2)}`,
    tokens === null ? "" : `${spent.tokens + kept.tokens} of ${tokens} tokens`,
  ].filter((part) => part !== "");
  const why = isSetAside ? "used up, or set aside for what is at work" : "used up";
  return `This repository's budget for today is ${why} (${bounds.join(", ")}), so I begin nothing ${isSetAside ? "beside that" : "before midnight UTC"}.`;
}

function dayOf(now: Date): Date {
  return new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate()));
}
