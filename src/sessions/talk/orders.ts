import type { NewEvent } from "../../core/event.ts";
import type { Id } from "../../core/id.ts";
import type { RunnerClosed, RunnerCommand } from "../../core/job.ts";
import { lockSessions } from "../../store/log/events.ts";
import { hasWaiting } from "../../store/talk/messages.ts";
import type { Order } from "../../store/talk/messages.ts";
import { inTransaction } from "../../store/transaction.ts";
import type { SessionDeps } from "../deps.ts";
import { orderPrompt } from "../job/prompt.ts";
import { whenTold } from "./told.ts";

/** Of one answer. */
const ORDERS = 20;

/**
 * What the session's runner is to do, as soon as there is something; nothing when `waitMs` have passed.
 *
 * @param after Position of the last order that it has.
 */
export async function ordersFor(
  deps: SessionDeps,
  id: Id,
  after: number,
  waiting: { waitMs: number; signal: AbortSignal },
): Promise<RunnerCommand[]> {
  const found = await whenTold(deps, id, waiting, async () => {
    const session = await deps.sessions.get(id);
    if (session !== null && session.cancelRequestedAt !== null)
      return [{ kind: "cancel" as const, reason: "Cancelled on request" }];
    if (session !== null && session.stopReason !== null)
      return [{ kind: "cancel" as const, reason: session.stopReason }];
    const orders = await deps.messages.waiting(id, after, ORDERS);
    return orders.length === 0 ? null : orders.map((order) => commandOf(id, order));
  });
  return found ?? [];
}

const GO_ON = "You were interrupted by a pause. Go on with your task from where you were.";

function commandOf(sessionId: Id, { kind, id, position, text }: Order): RunnerCommand {
  switch (kind) {
    case "message":
      return { kind, id, position, text: orderPrompt(sessionId, text) };
    case "resume":
      return { kind, id, position, text: orderPrompt(sessionId, GO_ON), deadlineAt: text };
    default:
      return { kind, id, position };
  }
}

/** Kinds of events by which a runner says that it has done what it was told; `id` is the order. */
const DONE: readonly string[] = ["message.delivered", "turn.interrupted"];

/** Marks what a runner says that it has done; so that a repetition finds it done, it is to be acknowledged after this. */
export async function markDone(
  deps: SessionDeps,
  sessionId: Id,
  events: readonly Pick<NewEvent, "kind" | "body">[],
): Promise<void> {
  const ids = events.flatMap(({ kind, body }) => {
    const id = body["id"];
    return DONE.includes(kind) && typeof id === "string" && UUID.test(id) ? [id] : [];
  });
  if (ids.length > 0) await deps.messages.delivered(sessionId, ids, deps.clock.now());
}
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Lets the session's agent go, unless there are orders that its runner does not have. From then on it hears nothing. */
export async function close(deps: SessionDeps, id: Id, after: number): Promise<RunnerClosed> {
  return await inTransaction(deps.database, async (tx) => {
    await lockSessions(tx, [id]);
    if (await hasWaiting(tx, id, after)) return { closed: false };
    await tx
      .updateTable("sessions")
      .set({ hears_until: deps.clock.now() })
      .where("id", "=", id)
      .where("hears_until", "is", null)
      .execute();
    return { closed: true };
  });
}
