import type { Config } from "../config/config.ts";
import { createReviewStore } from "../store/threads/reviews.ts";
import { createReviewTools } from "./review/tools.ts";
import { createThreadTools } from "./tools/tools.ts";
import type { ThreadTools } from "./tools/tools.ts";

/** What the hub does for the agents of sessions, by kind of session; without an account on the forge nothing. */
export function openTools(
  options: Parameters<typeof createThreadTools>[0] & { config: Pick<Config, "review"> },
): ThreadTools {
  const { forge, database, config } = options;
  const ofThreads = createThreadTools(options);
  if (forge === null) return ofThreads;
  const { mayApprove } = config.review;
  const reviews = createReviewStore(database);
  const all = [ofThreads, createReviewTools({ forge, reviews, mayApprove })];
  return {
    toolsFor: async (session) =>
      (await Promise.all(all.map(({ toolsFor }) => toolsFor(session)))).flat(),
    namesFor: async (id) => (await Promise.all(all.map(({ namesFor }) => namesFor(id)))).flat(),
  };
}
