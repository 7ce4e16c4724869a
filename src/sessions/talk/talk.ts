import { sql } from "kysely";
import { HubError, conflict, invalidRequest, notFound, rateLimited } from "../../core/errors.ts";
import { newId } from "../../core/id.ts";
import type { Id } from "../../core/id.ts";
import { LIMITS } from "../../core/limits.ts";
import { visibleOnly } from "../../core/visible.ts";
import type { Tx } from "../../store/database.ts";
import { appendWithin, lockSessions } from "../../store/log/events.ts";
import { countOrders, insertOrderWithin, orderWithin } from "../../store/talk/messages.ts";
import type { OrderKind } from "../../store/talk/messages.ts";
import type { StoredSession } from "../../store/sessions/session-row.ts";
import { readWithin } from "../../store/sessions/sessions.ts";
import { inTransaction } from "../../store/transaction.ts";
import type { SessionDeps } from "../deps.ts";
import { eventAt } from "./event-at.ts";

/** What a session was told, and what became of it. */
export interface Sent {
  id: Id;
  at: string;
}

/** What people may say to sessions. Every function throws `not_found` for an id that nobody knows. */
export interface SessionTalk {
  /**
   * Tells a session something, as an order of a person; durable before it resolves. It stands in the agent's
   * conversation at its next step, or when the session begins. Throws `conflict` when the session hears nothing more.
   *
   * @param message `interrupt` ends what the agent is doing first. What has an `id` is told once, however often it is said.
   */
  message(
    id: Id,
    message: { id?: Id; text: string; interrupt?: boolean | undefined; sender: string },
  ): Promise<Sent>;
  /**
   * Ends what the agent is doing; it waits for a message then. Throws `conflict` unless it is at work.
   *
   * @param orderId What has one is done once.
   */
  interrupt(id: Id, sender: string, orderId?: Id): Promise<Sent>;
}

const RETRY_SECONDS = 30;

export function createTalk(deps: SessionDeps): SessionTalk {
  return {
    async message(id, { id: orderId, text, interrupt = false, sender }) {
      const said = visibleOnly(text.replaceAll("\r\n", "\n")).trim();
      if (said === "") throw invalidRequest("text", "nothing of it can be seen");
      return await withListener(deps, id, orderId, async (tx, session) => {
        if (interrupt && session.admittedAt !== null && session.pause === null)
          await tell(deps, tx, id, { kind: "interrupt", text: "", sender });
        return await tell(deps, tx, id, { id: orderId, kind: "message", text: said, sender });
      });
    },
    interrupt: (id, sender, orderId) =>
      withListener(deps, id, orderId, async (tx, session) => {
        if (session.admittedAt === null) throw conflict("The session has not begun");
        if (session.pause !== null) throw conflict("The session is paused");
        return await tell(deps, tx, id, { id: orderId, kind: "interrupt", text: "", sender });
      }),
  };
}

/** Runs `work` on a session that is locked and hears, unless it has the order already. */
async function withListener(
  deps: SessionDeps,
  id: Id,
  orderId: Id | undefined,
  work: (tx: Tx, session: StoredSession) => Promise<Sent>,
): Promise<Sent> {
  return await inTransaction(deps.database, async (tx) => {
    await lockSessions(tx, [id]);
    const before = orderId === undefined ? null : await orderWithin(tx, id, orderId);
    if (before !== null) return before;
    const [session] = await readWithin(tx, [id]);
    if (session === undefined) throw notFound("Session");
    if (session.completedAt !== null) throw deaf(`The session has ended (${session.status})`);
    const { hearsUntil, cancelRequestedAt, stopReason } = session;
    if (hearsUntil !== null || cancelRequestedAt !== null || stopReason !== null)
      throw deaf("The session is about to end");
    return await work(tx, session);
  });
}

function deaf(reason: string): HubError {
  return conflict(`${reason}: continue it to tell it more`);
}

/** Who was paused can go on, and the hub's own words come once a session: neither waits for what people have said. */
function isAlwaysTold({ kind, sender }: { kind: OrderKind; sender: string }): boolean {
  return kind === "resume" || (kind === "message" && sender === "hub");
}

/** Puts an order after the others of a session that is locked, and tells its runner. */
export async function tell(
  deps: SessionDeps,
  tx: Tx,
  sessionId: Id,
  order: { id?: Id | undefined; kind: OrderKind; text: string; sender: string },
): Promise<Sent> {
  const { all, waiting } = await countOrders(tx, sessionId);
  const isFull = waiting >= LIMITS.messagesWaiting || all >= LIMITS.messages;
  if (isFull && !isAlwaysTold(order)) throw rateLimited("messages", RETRY_SECONDS);
  const [id, now] = [order.id ?? newId(), deps.clock.now()];
  const at = now.toISOString();
  await insertOrderWithin(tx, sessionId, { ...order, id, at, position: all + 1 });
  if (order.kind === "message") {
    const body = deps.redaction.body({ id, text: order.text, sender: order.sender });
    await appendWithin(tx, [{ sessionId, events: [eventAt(now, "message.sent", body)] }]);
  }
  await sql`select pg_notify('claude_hub_commands', ${sessionId})`.execute(tx);
  return { id, at };
}
