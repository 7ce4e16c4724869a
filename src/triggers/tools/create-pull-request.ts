import { z } from "zod";
import { conflict, forbidden } from "../../core/errors.ts";
import { toolOf } from "../../core/tool.ts";
import { signedBody, TITLE_CHARS } from "../report/pull-request-text.ts";
import { TEXT_CHARS, toForge } from "./to-forge.ts";
import type { ToolMaker, ToolPlace } from "./tool-maker.ts";

const Input = z.strictObject({
  title: z.string().trim().min(1).max(TITLE_CHARS),
  body: z.string().max(65_536).describe("Markdown: what was changed, and why"),
});
/** Room for the hub's own lines below. */
const BODY_CHARS = TEXT_CHARS - 1_000;
const PUSHES_READ = 1_000;

/** Opens the one pull request of a session, from its own branch. Who pushes to a pull request's branch needs none. */
export const createPullRequest: ToolMaker = (place) => {
  const { session, thread, repository } = place;
  if (session.onto !== null || session.type !== "implementation") return null;
  return toolOf({
    name: "create_pull_request",
    description:
      "Opens the draft pull request of your branch, which closes the issue when it is merged. Push first; once in a session. Without it, one is opened from your summary at the end.",
    input: Input,
    limit: 1,
    repeated: "once",
    async run({ title, body }) {
      const issue = await repository.issue(thread.number);
      if (issue.isPullRequest) throw forbidden("this is about a pull request already");
      const head = await pushedBranch(place);
      const { defaultBranch } = await repository.facts();
      const { url } = await repository.openPullRequest({
        head,
        base: session.project.branch ?? defaultBranch,
        title: toForge(place, title.replaceAll(/\s+/g, " "), TITLE_CHARS),
        body: signedBody({
          body: toForge(place, body, BODY_CHARS),
          number: issue.number,
          asker: thread.asker.login,
        }),
        isDraft: true,
      });
      return `It is open, as a draft: ${url}`;
    },
  });
};

/** The session's own branch, once something is on it. */
async function pushedBranch({ events, session }: ToolPlace): Promise<string> {
  const { id, workBranch } = session;
  if (workBranch === null) throw forbidden("the session may push nothing");
  const pushes = await events.readKinds(id, ["branch.pushed"], PUSHES_READ);
  if (pushes.some(({ body }) => body["branch"] === workBranch)) return workBranch;
  throw conflict(`nothing has been pushed to ${workBranch} yet: commit, push, and call again`);
}
