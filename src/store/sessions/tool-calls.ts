import { sql } from "kysely";
import { z } from "zod";
import type { Id } from "../../core/id.ts";
import type { Database, Tx } from "../database.ts";
import { lockSessions } from "../log/events.ts";
import { inTransaction } from "../transaction.ts";

export interface CallPlace {
  sessionId: Id;
  tool: string;
  ordinal: number;
}

export type Begun =
  | { state: "run"; ordinal: number }
  /** It was done before; this is what was answered. */
  | { state: "done"; answer: string }
  | { state: "spent"; of: "tool" | "session" };

/** Calls of tools, counted where a restart does not forget them. */
export interface ToolCallStore {
  /** @param digest Of the input; who calls with the same one again means the same call. Null: it never does. */
  begin(call: {
    sessionId: Id;
    tool: string;
    digest: string | null;
    /** Calls of this tool that the session may have had done. */
    limit: number;
    /** Of all its calls, those that came to nothing included. */
    sessionLimit: number;
  }): Promise<Begun>;
  done(place: CallPlace, answer: string): Promise<void>;
  /** It was not done, and does not count against the tool's limit. */
  refused(place: CallPlace): Promise<void>;
}

const Row = z.object({
  tool: z.string(),
  ordinal: z.int(),
  digest: z.string().nullable(),
  state: z.enum(["begun", "done", "refused"]),
  tries: z.int(),
  answer: z.string().nullable(),
});
type Row = z.infer<typeof Row>;

export function createToolCallStore(database: Database): ToolCallStore {
  const end = async ({ sessionId, tool, ordinal }: CallPlace, state: string, answer: string) => {
    await database.db
      .updateTable("tool_calls")
      .set({ state, answer })
      .where("session_id", "=", sessionId)
      .where("tool", "=", tool)
      .where("ordinal", "=", ordinal)
      .execute();
  };
  return {
    begin: ({ sessionId, tool, digest, ...limits }) =>
      inTransaction(database, async (tx) => {
        await lockSessions(tx, [sessionId]);
        const before = await callsOf(tx, sessionId);
        const same = before.find((one) => one.tool === tool && one.digest === digest);
        const decided = decide(before, tool, digest === null ? undefined : same, limits);
        if (decided.state === "run") await count(tx, { sessionId, tool, ...decided }, digest);
        return decided;
      }),
    done: (place, answer) => end(place, "done", answer),
    refused: (place) => end(place, "refused", ""),
  };
}

function decide(
  before: readonly Row[],
  tool: string,
  same: Row | undefined,
  limits: { limit: number; sessionLimit: number },
): Begun {
  if (same?.state === "done") return { state: "done", answer: same.answer ?? "" };
  const tries = before.reduce((sum, one) => sum + one.tries, 0);
  if (tries >= limits.sessionLimit) return { state: "spent", of: "session" };
  if (same?.state === "begun") return { state: "run", ordinal: same.ordinal };
  const own = before.filter((one) => one.tool === tool);
  if (own.filter(({ state }) => state !== "refused").length >= limits.limit)
    return { state: "spent", of: "tool" };
  return {
    state: "run",
    ordinal: same?.ordinal ?? Math.max(0, ...own.map(({ ordinal }) => ordinal)) + 1,
  };
}

async function callsOf(tx: Tx, sessionId: Id): Promise<Row[]> {
  const rows = await tx
    .selectFrom("tool_calls")
    .selectAll()
    .where("session_id", "=", sessionId)
    .execute();
  return rows.map((row) => Row.parse(row));
}

async function count(
  tx: Tx,
  { sessionId, tool, ordinal }: CallPlace,
  digest: string | null,
): Promise<void> {
  await tx
    .insertInto("tool_calls")
    .values({ session_id: sessionId, tool, ordinal, digest })
    .onConflict((conflict) =>
      conflict
        .columns(["session_id", "tool", "ordinal"])
        .doUpdateSet({ state: "begun", tries: sql`tool_calls.tries + 1` }),
    )
    .execute();
}
