import { v7 as uuidv7 } from "uuid";
import { z } from "zod";

/** A session's or orchestration's id: a UUID, version 7 when the hub makes it (sorts by time of creation). */
export const Id = z.uuid().transform((id) => id.toLowerCase());
export type Id = z.infer<typeof Id>;

export function newId(): Id {
  return uuidv7();
}

/**
 * The sandbox's name. The first eight digits are what the older API showed; a version 7 id repeats them for a
 * minute, so the twelve random ones at its end follow.
 */
export function sandboxName(sessionId: Id): string {
  return `claude-session-${sessionId.slice(0, 8)}-${sessionId.slice(-12)}`;
}

/** Eight random digits of the id, for names that people read (branches). */
export function shortId(sessionId: Id): string {
  return sessionId.slice(-8);
}
