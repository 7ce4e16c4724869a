import { sql } from "kysely";
import type { RawBuilder } from "kysely";
import { z } from "zod";

/** Where on the forge the question stands; reactions go there, and answers. */
export const Source = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("thread") }),
  z.object({ kind: z.literal("comment"), id: z.int() }),
  z.object({ kind: z.literal("lineComment"), id: z.int(), firstId: z.int() }),
  z.object({ kind: z.literal("review"), id: z.int() }),
]);
export type Source = z.infer<typeof Source>;

/** What somebody has asked for on a thread (an issue or a pull request) of a forge. */
export interface Asked {
  /** What it was made for, known from the forge: one cause makes one. */
  cause: string;
  repositoryId: number;
  repository: string;
  number: number;
  asker: { id: number; login: string };
  source: Source;
  /** `live` until its end has been told. */
  state: "live" | "told";
  /** The comment that tells of it. */
  commentId: number | null;
  /** What that comment says, as a hash. */
  shown: string | null;
  createdAt: string;
}

/** The columns of what was asked for. */
export const ASKED_COLUMNS = {
  cause: z.string(),
  repository_id: z.coerce.number(),
  repository: z.string(),
  number: z.int(),
  asker_id: z.coerce.number(),
  asker: z.string(),
  source: Source,
  state: z.enum(["live", "told"]),
  comment_id: z.coerce.number().nullable(),
  shown: z.string().nullable(),
  created_at: z.date(),
};
const AskedRow = z.object(ASKED_COLUMNS);

export function askedOf(row: z.infer<typeof AskedRow>): Asked {
  return {
    cause: row.cause,
    repositoryId: row.repository_id,
    repository: row.repository,
    number: row.number,
    asker: { id: row.asker_id, login: row.asker },
    source: row.source,
    state: row.state,
    commentId: row.comment_id,
    shown: row.shown,
    createdAt: row.created_at.toISOString(),
  };
}

export function askedValues({ asker, ...made }: Omit<Asked, "state" | "commentId" | "shown">) {
  return {
    cause: made.cause,
    repository_id: made.repositoryId,
    repository: made.repository,
    number: made.number,
    asker_id: asker.id,
    asker: asker.login,
    source: JSON.stringify(made.source),
    created_at: made.createdAt,
  };
}

/** Some repositories, or all of one owner. */
export type Places = { repositoryIds: readonly number[] } | { owner: string };

/** A condition: it was asked there. */
export function isAt(places: Places): RawBuilder<unknown> {
  return "owner" in places
    ? sql`lower(split_part(repository, '/', 1)) = ${places.owner.toLowerCase()}`
    : sql`repository_id = any(${[...places.repositoryIds]})`;
}
