import { sql } from "kysely";
import { z } from "zod";
import { boundedBody, Event, EventBody, EventKind } from "../../core/event.ts";
import type { NewEvent } from "../../core/event.ts";
import { notFound } from "../../core/errors.ts";
import type { Id } from "../../core/id.ts";
import { APPEND_EVENTS } from "./append.sql.ts";
import { createBatch } from "../batch.ts";
import type { Database, Db, Tx } from "../database.ts";

/** Events of one session to append; `runnerSeq` is the runner's own number of the event, if a runner sent it. */
export interface Append {
  sessionId: Id;
  events: (NewEvent & { runnerSeq?: number })[];
}

export interface LogEnd {
  lastSeq: number;
  runnerSeq: number;
}

const AppendRow = z.object({
  session_id: z.string(),
  last_seq: z.number(),
  runner_seq: z.number(),
});
const EventRow = z.object({ seq: z.number(), at: z.date(), kind: EventKind, body: EventBody });

export interface EventStore {
  /** Appends durably; concurrent calls share commits. Unknown session: `not_found`. */
  append(append: Append): Promise<LogEnd>;
  /** Where the log stands. Unknown session: `not_found`. */
  end(sessionId: Id): Promise<LogEnd>;
  /** Takes the runner's numbers up to this one for known, without any event. */
  skip(sessionId: Id, runnerSeq: number): Promise<LogEnd>;
  /** Bytes of all bodies, and how many there are. */
  size(sessionId: Id): Promise<{ bytes: number; rows: number }>;
  readAfter(sessionId: Id, seq: number, limit: number): Promise<Event[]>;
  /** What came after each of many positions, in their order; at most `limit` events a position. */
  readManyAfter(positions: { sessionId: Id; seq: number }[], limit: number): Promise<Event[][]>;
  /** Events of some kinds, the oldest first. */
  readKinds(sessionId: Id, kinds: readonly EventKind[], limit: number): Promise<Event[]>;
  /** The last event of some kinds that has such an entry in its body, up to a position; null: there is none. */
  lastUpTo(
    sessionId: Id,
    wanted: { kinds: readonly EventKind[]; seq: number; having: string },
  ): Promise<Event | null>;
  /** The last events of a session, the oldest of them first. */
  readLast(sessionId: Id, limit: number): Promise<Event[]>;
  /** True when the session has ended: its log grows no more. */
  isClosed(sessionId: Id): Promise<boolean>;
}

export function createEventStore(database: Database): EventStore {
  return { append: createAppend(database), ...createReads(database) };
}

function createAppend(database: Database): EventStore["append"] {
  const append = createBatch<Append, LogEnd | null>({
    maxItems: 200,
    maxWaiting: 20_000,
    async run(items) {
      const ends = ofRows(
        await database.prepared("append-events", APPEND_EVENTS, [appendParameter(items)]),
      );
      return items.map(({ sessionId }) => ends.get(sessionId) ?? null);
    },
  });
  return async (item) => {
    const end = await append(item);
    // Nothing was written for an unknown session; to throw this in the batch would write the others' a second time.
    if (end === null) throw notFound("Session");
    return end;
  };
}

function createReads(database: Database): Omit<EventStore, "append"> {
  return {
    async end(sessionId) {
      const rows = await database.prepared(
        "read-log-end",
        "select session_id, last_seq, runner_seq from session_logs where session_id = $1",
        [sessionId],
      );
      const end = ofRows(rows).get(sessionId);
      if (end === undefined) throw notFound("Session");
      return end;
    },
    async skip(sessionId, runnerSeq) {
      const rows = await database.prepared(
        "skip-events",
        `update session_logs set runner_seq = greatest(runner_seq, $2) where session_id = $1
         returning session_id, last_seq, runner_seq`,
        [sessionId, runnerSeq],
      );
      const end = ofRows(rows).get(sessionId);
      if (end === undefined) throw notFound("Session");
      return end;
    },
    async size(sessionId) {
      const [row] = await database.prepared<{ bytes: string; rows: string }>(
        "size-of-log",
        `select coalesce(sum(octet_length(body::text)), 0) as bytes, count(*) as rows
         from events where session_id = $1`,
        [sessionId],
      );
      return { bytes: Number(row?.bytes ?? 0), rows: Number(row?.rows ?? 0) };
    },
    async readAfter(sessionId, seq, limit) {
      const rows = await database.prepared(
        "read-events",
        "select seq, at, kind, body from events where session_id = $1 and seq > $2 order by seq limit $3",
        [sessionId, seq, limit],
      );
      return rows.map(toEvent);
    },
    async readManyAfter(positions, limit) {
      const rows = await database.prepared<{ place: number }>(
        "read-events-many",
        `select p.place::integer, e.* from unnest($1::uuid[], $2::integer[]) with ordinality as p(session_id, after, place)
         cross join lateral (
           select seq, at, kind, body from events where session_id = p.session_id and seq > p.after
           order by seq limit $3
         ) e`,
        [positions.map(({ sessionId }) => sessionId), positions.map(({ seq }) => seq), limit],
      );
      const found = positions.map((): Event[] => []);
      for (const row of rows) found[row.place - 1]?.push(toEvent(row));
      return found;
    },
    async readKinds(sessionId, kinds, limit) {
      const rows = await database.prepared(
        "read-event-kinds",
        `select seq, at, kind, body from events where session_id = $1 and kind = any($2::text[])
         order by seq limit $3`,
        [sessionId, [...kinds], limit],
      );
      return rows.map(toEvent);
    },
    async lastUpTo(sessionId, { kinds, seq, having }) {
      const [row] = await database.prepared(
        "last-event-up-to",
        `select seq, at, kind, body from events
         where session_id = $1 and kind = any($2::text[]) and seq <= $3 and body ? $4
         order by seq desc limit 1`,
        [sessionId, [...kinds], seq, having],
      );
      return row === undefined ? null : toEvent(row);
    },
    async readLast(sessionId, limit) {
      const rows = await database.prepared(
        "read-events-last",
        "select seq, at, kind, body from events where session_id = $1 order by seq desc limit $2",
        [sessionId, limit],
      );
      return rows.map(toEvent).toReversed();
    },
    async isClosed(sessionId) {
      const rows = await database.prepared(
        "is-closed",
        "select 1 from sessions where id = $1 and completed_at is not null",
        [sessionId],
      );
      return rows.length > 0;
    },
  };
}

/** Appends inside a transaction that has locked the sessions (see lockSessions). */
export async function appendWithin(tx: Tx | Db, appends: Append[]): Promise<void> {
  if (appends.length === 0) return;
  const [head = "", tail = ""] = APPEND_EVENTS.split("$1");
  await sql`${sql.raw(head)}${appendParameter(appends)}${sql.raw(tail)}`.execute(tx);
}

/** Locks sessions against every other change of their state until the transaction ends; always in the order of ids. */
export async function lockSessions(tx: Tx, ids: Id[]): Promise<void> {
  await sql`select 1 from session_logs where session_id = any(${ids}::uuid[]) order by session_id for update`.execute(
    tx,
  );
}

function appendParameter(appends: Append[]): string {
  let ord = 0;
  return JSON.stringify(
    appends.flatMap(({ sessionId, events }) =>
      events.map(({ at, kind, body, runnerSeq }) => ({
        session_id: sessionId,
        ord: (ord += 1),
        runner_seq: runnerSeq ?? null,
        at,
        kind,
        body: boundedBody(body),
      })),
    ),
  );
}

function ofRows(rows: unknown[]): Map<string, LogEnd> {
  return new Map(
    rows.map((row) => {
      const { session_id, last_seq, runner_seq } = AppendRow.parse(row);
      return [session_id, { lastSeq: last_seq, runnerSeq: runner_seq }];
    }),
  );
}

function toEvent(row: unknown): Event {
  const { seq, at, kind, body } = EventRow.parse(row);
  return { seq, at: at.toISOString(), kind, body };
}
