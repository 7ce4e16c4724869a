import type { BotSettings } from "../core/bot-settings.ts";
import type { SessionTerms } from "../core/session-terms.ts";
import type { ThreadKind } from "../store/threads/thread-sessions.ts";

/** On what terms a session works in a repository. */
export function termsFor(
  { models, budget }: Pick<BotSettings, "models" | "budget">,
  kind: ThreadKind,
): Partial<SessionTerms> {
  const { costUsd, tokens } = budget.session;
  return { model: models[kind], maxCostUsd: costUsd, maxTokens: tokens };
}
