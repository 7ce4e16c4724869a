import type { Id } from "../../core/id.ts";
import type { Database } from "../database.ts";

/** The agents' own records of their conversations, compressed, as the runners sent them. */
export interface ConversationStore {
  /** The last one counts. */
  put(sessionId: Id, body: Buffer, receivedAt: Date): Promise<void>;
  get(sessionId: Id): Promise<Buffer | null>;
  has(sessionId: Id): Promise<boolean>;
}

export function createConversationStore({ db }: Database): ConversationStore {
  return {
    async put(sessionId, body, receivedAt) {
      const values = { body, received_at: receivedAt };
      await db
        .insertInto("conversations")
        .values({ session_id: sessionId, ...values })
        .onConflict((conflict) => conflict.column("session_id").doUpdateSet(values))
        .execute();
    },
    async get(sessionId) {
      const row = await db
        .selectFrom("conversations")
        .select("body")
        .where("session_id", "=", sessionId)
        .executeTakeFirst();
      return row?.body ?? null;
    },
    async has(sessionId) {
      const row = await db
        .selectFrom("conversations")
        .select("session_id")
        .where("session_id", "=", sessionId)
        .executeTakeFirst();
      return row !== undefined;
    },
  };
}
