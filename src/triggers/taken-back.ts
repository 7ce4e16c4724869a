import { HubError } from "../core/errors.ts";
import type { ForgeRepository } from "../forge/forge.ts";
import { stop } from "./closed.ts";
import type { Rule } from "./rule.ts";

/** A question that is deleted before its work has begun is taken back. */
export const takenBackRule: Rule = {
  name: "taken back",
  async decide(deps, repository, { event, action, payload }) {
    if (event !== "issue_comment" || action !== "deleted" || payload.comment == null) return null;
    const { id } = payload.comment;
    const asked = await deps.threads.byCause(`comment:${id}`);
    if (asked === null || asked.state !== "live") return "nothing that was asked there is open";
    if (await isThere(repository, id)) return "the comment is there";
    const { sessionId } = asked;
    const session = await deps.sessions.get(sessionId);
    if (session.admittedAt !== null) return "the work has begun, and goes on";
    return {
      would: "ends the session that it asked for, which has not begun",
      async act() {
        const count = await stop(deps, sessionId);
        const outcome = `${count} sessions are ended, since the question was deleted`;
        return { state: "done", outcome };
      },
    };
  },
};

async function isThere(repository: ForgeRepository, id: number): Promise<boolean> {
  try {
    await repository.comment(id);
    return true;
  } catch (error) {
    if (error instanceof HubError && error.code === "not_found") return false;
    throw error;
  }
}
