import type { ReviewGate } from "../../store/threads/review-gates.ts";
import type { TriggerDeps } from "../deps.ts";
import type { ThreadEvent } from "../payload.ts";
import { endSession } from "./begin.ts";

/** Sessions first: after a crash in between it is done once more. */
export async function endGates(
  { sessions, review }: Pick<TriggerDeps, "sessions" | "review">,
  gates: readonly ReviewGate[],
  to: { state: "skipped" | "superseded"; reason: string },
): Promise<void> {
  for (const gate of gates) {
    if (gate.sessionId !== null) await endSession({ sessions }, gate.sessionId);
    await review.gates.end(gate, to);
  }
}

/** Ends reviews that nobody asked for, also those that are to come. Answers how many. */
export async function stopReviews(deps: TriggerDeps, event: ThreadEvent): Promise<number> {
  const live = await deps.review.gates.live(event.repository.id, event.number);
  await endGates(deps, live, { state: "skipped", reason: "somebody has stopped it" });
  return live.length;
}
