import type { Id } from "../../core/id.ts";
import type { Database } from "../database.ts";

/** Which session made which branch. */
export interface BranchStore {
  owner(repository: string, branch: string): Promise<Id | null>;
  /**
   * Before a commit is pushed. False: the branch belongs to another session.
   * @param sha What is about to be pushed.
   */
  claim(repository: string, branch: string, sessionId: Id, sha: string): Promise<boolean>;
  /** What a session has tried to push last, of each branch. */
  pushing(sessionId: Id): Promise<{ repository: string; branch: string; sha: string }[]>;
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
    async claim(repository, branch, sessionId, sha) {
      const claimed = await db
        .insertInto("branches")
        .values({ repository, branch, session_id: sessionId, pushing_sha: sha })
        .onConflict((conflict) =>
          conflict
            .columns(["repository", "branch"])
            .doUpdateSet({ pushing_sha: sha })
            .where("branches.session_id", "=", sessionId),
        )
        .returning("session_id")
        .executeTakeFirst();
      return claimed !== undefined;
    },
    async pushing(sessionId) {
      const rows = await db
        .selectFrom("branches")
        .select(["repository", "branch", "pushing_sha as sha"])
        .where("session_id", "=", sessionId)
        .where("pushing_sha", "is not", null)
        .$narrowType<{ sha: string }>()
        .execute();
      return rows;
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
