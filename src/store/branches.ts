import type { Id } from "../core/id.ts";
import type { Database } from "./database.ts";

/** Which session made which branch. */
export interface BranchStore {
  owner(repository: string, branch: string): Promise<Id | null>;
  /** False: the branch belongs to another session. */
  claim(repository: string, branch: string, sessionId: Id): Promise<boolean>;
  /** Branches that sessions have pushed to a repository, oldest session first. */
  ofSessions(repository: string, sessionIds: Id[]): Promise<{ sessionId: Id; branch: string }[]>;
}

export function createBranchStore({ db }: Database): BranchStore {
  async function owner(repository: string, branch: string): Promise<Id | null> {
    const row = await db
      .selectFrom("branches")
      .select("session_id")
      .where("repository", "=", repository)
      .where("branch", "=", branch)
      .executeTakeFirst();
    return row?.session_id ?? null;
  }

  return {
    owner,
    async claim(repository, branch, sessionId) {
      await db
        .insertInto("branches")
        .values({ repository, branch, session_id: sessionId })
        .onConflict((conflict) => conflict.doNothing())
        .execute();
      return (await owner(repository, branch)) === sessionId;
    },
    async ofSessions(repository, sessionIds) {
      if (sessionIds.length === 0) return [];
      const rows = await db
        .selectFrom("branches")
        .select(["session_id", "branch"])
        .where("repository", "=", repository)
        .where("session_id", "in", sessionIds)
        .orderBy("session_id")
        .orderBy("branch")
        .execute();
      return rows.map(({ session_id, branch }) => ({ sessionId: session_id, branch }));
    },
  };
}
