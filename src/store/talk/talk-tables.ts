import type { NullableTimestamp, Timestamp } from "../columns.ts";

/** What people tell sessions, and what sessions ask people. */
export interface TalkTables {
  /** What a session's runner is told, in the order of `position`. */
  session_messages: {
    id: string;
    session_id: string;
    position: number;
    kind: string;
    text: string;
    sender: string;
    at: Timestamp;
    delivered_at: NullableTimestamp;
  };
  /** What sessions ask people. */
  approvals: {
    id: string;
    session_id: string;
    number: number;
    key: string;
    kind: string;
    subject: string;
    detail: string;
    asked_at: Timestamp;
    due_at: Timestamp;
    decision: string | null;
    answered_by: string | null;
    note: string | null;
    answered_at: NullableTimestamp;
  };
}
