import { v5 as uuidv5, v7 as uuidv7 } from "uuid";
import { z } from "zod";

/** A session's or orchestration's id: a UUID, version 7 when the hub makes it (sorts by time of creation). */
export const Id = z.uuid().transform((id) => id.toLowerCase());
export type Id = z.infer<typeof Id>;

/** The beginning of an id, with or without hyphens. */
export const IdPrefix = z
  .string()
  .max(36)
  .regex(/^[0-9a-f][0-9a-f-]*$/i, "must be the beginning of an id")
  .transform((text) => text.replaceAll("-", "").toLowerCase())
  .pipe(z.string().max(32, "is longer than an id"));

/** The first and the last id that begin so. */
export function idsFrom(prefix: string): { first: Id; last: Id } {
  const whole = (digit: string) =>
    prefix.padEnd(32, digit).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
  return { first: whole("0"), last: whole("f") };
}

export function newId(): Id {
  return uuidv7();
}

/** The id of something that is known by a name of its owner's: the same name is the same id. */
export function namedId(owner: Id, name: string): Id {
  return uuidv5(name, owner);
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
