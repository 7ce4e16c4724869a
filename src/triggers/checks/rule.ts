import { isAboutThread } from "../payload.ts";
import type { Rule } from "../rule.ts";

/** Checks of sessions that go on follow the head of their pull request. */
export const checksRule: Rule = {
  name: "checks",
  async decide({ checks, clock }, repository, event) {
    if (event.event !== "pull_request" || event.action !== "synchronize") return null;
    if (!isAboutThread(event)) return null;
    const open = await checks.openOf(event.repository.id, event.number);
    // A review is about one commit.
    const moving = open.filter(({ kind }) => kind !== "review");
    if (moving.length === 0) return "no check has to follow";
    return {
      would: `lets ${moving.length} checks follow to the new head`,
      async act() {
        const { head } = await repository.pullRequest(event.number);
        for (const check of moving)
          await checks.begin({ ...check, sha: head.sha, at: clock.now() });
        return { state: "done", outcome: `${moving.length} checks follow to the new head` };
      },
    };
  },
};
