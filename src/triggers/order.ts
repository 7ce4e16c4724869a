import { HubError } from "../core/errors.ts";
import type { ForgeRepository, Issue, PullRequest, Reaction } from "../forge/forge.ts";
import type { Source } from "../store/threads/asked.ts";
import type { TriggerDeps } from "./deps.ts";
import type { Heard } from "./heard.ts";
import type { ThreadEvent } from "./payload.ts";
import type { Outcome } from "./worker.ts";

/** What somebody has asked for who may. */
export interface Order {
  deps: TriggerDeps;
  repository: ForgeRepository;
  event: ThreadEvent;
  heard: Heard;
  issue: Issue;
  pullRequest: PullRequest | null;
}

/** An answer that no session gives. */
export async function say({ repository, event, heard }: Order, text: string): Promise<Outcome> {
  const { source } = heard;
  const inReplyTo = source.kind === "lineComment" ? { inReplyTo: source.firstId } : {};
  await repository.say(`answer:${heard.cause}`, { number: event.number, ...inReplyTo }, text);
  return { state: "done", outcome: "it was answered" };
}

/** A sign that it was heard. Where none can be given, that is no reason not to do it. */
export async function react(
  repository: ForgeRepository,
  { number }: Pick<ThreadEvent, "number">,
  source: Source,
  reaction: Reaction,
): Promise<void> {
  try {
    await repository.react(targetOf(source, number), reaction);
  } catch (error) {
    if (!(error instanceof HubError) || error.retryable) throw error;
  }
}

/** Reviews themselves take no reactions. */
export function targetOf(source: Source, number: number) {
  return source.kind === "thread" || source.kind === "review"
    ? ({ kind: "thread", number } as const)
    : ({ kind: source.kind, id: source.id } as const);
}
