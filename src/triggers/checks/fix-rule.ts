import { ifFound } from "../../core/errors.ts";
import { refusalFor } from "../authority.ts";
import type { TriggerDeps } from "../deps.ts";
import { obey } from "../obey.ts";
import type { Rule } from "../rule.ts";
import type { SessionCheck } from "../../store/threads/session-checks.ts";
import { quoted, sanitise } from "../text/sanitise.ts";
import { FIX } from "./says.ts";
import { toldOf } from "./told-of.ts";

/** *Fix* on a check of the bot's is `@bot fix` on its pull request. Who may not ask gets no answer. */
export const fixRule: Rule = {
  name: "fix",
  async decide(deps, repository, event) {
    if (event.event !== "check_run" || event.action !== "requested_action") return null;
    const check = await toldOf(deps, event);
    if (typeof check === "string") return check;
    if (event.payload.requested_action?.identifier !== FIX) return "the check has no such button";
    if (!deps.settings.triggers.mention) return "the repository has switched mention off";
    const refusal = await refusalFor(deps.settings, repository, event.sender);
    if (refusal !== null) return refusal;
    const about = { ...event, number: check.number };
    return {
      would: "follows the command fix",
      act: async () =>
        await obey(deps, repository, about, {
          command: "fix",
          whole: "",
          instruction: "",
          trigger: "mention",
          cause: `action:${event.deliveryId}`,
          source: { kind: "thread" },
          line: null,
          data: await dataOf(deps, check),
        }),
    };
  },
};

/** What the check tells of, as data. */
async function dataOf({ review, sessions }: TriggerDeps, check: SessionCheck): Promise<string> {
  const { sessionId, kind, sha } = check;
  const head = `The check that is to be mended (${kind}, at ${sha.slice(0, 12)}) says:`;
  if (kind === "review") {
    const found = await review.reviews.comments(sessionId);
    const summary = (await review.reviews.get(sessionId))?.summary ?? "";
    const lines = found.map(({ path, line, body }) => `${path}:${line}: ${body}`);
    return [head, quoted(sanitise([summary, ...lines].join("\n")))].join("\n");
  }
  const error = (await ifFound(sessions.get(sessionId)))?.error ?? null;
  return error === null ? "" : [head, quoted(sanitise(error))].join("\n");
}
