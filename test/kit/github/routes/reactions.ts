import { z } from "zod";
import { found } from "../errors.ts";
import { checkUnlocked, issueIn } from "../issues.ts";
import { reactionBody } from "../present/people.ts";
import { created, nothing, numberIn, ok, page, read, repositoryRoutes } from "../router.ts";
import type { RepositoryCall, Route } from "../router.ts";
import type { Written } from "../state.ts";
import { nextId, stamp } from "../world.ts";
import { commentIn } from "./issues.ts";
import { reviewCommentIn } from "./reviews.ts";

const reactionRequest = z.object({
  content: z.enum(["+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes"]),
});

const PULLS = "/pulls/comments/{comment_id}/reactions";
const COMMENTS = "/issues/comments/{comment_id}/reactions";
const ISSUES = "/issues/{issue_number}/reactions";

export const reactionRoutes: Route[] = [
  ...repositoryRoutes(["issues:read", "pull_requests:read"], {
    [`GET ${ISSUES}`]: (call) => list(call, issueIn(call)),
    [`GET ${COMMENTS}`]: (call) => list(call, commentIn(call)),
  }),
  ...repositoryRoutes(["pull_requests:read"], {
    [`GET ${PULLS}`]: (call) => list(call, reviewCommentIn(call)),
  }),
  ...repositoryRoutes(["issues:write", "pull_requests:write"], {
    [`POST ${ISSUES}`]: (call) => {
      checkUnlocked(call, issueIn(call));
      return add(call, issueIn(call));
    },
    [`POST ${COMMENTS}`]: (call) => {
      checkUnlocked(call, commentIn(call).issue);
      return add(call, commentIn(call));
    },
    [`DELETE ${ISSUES}/{reaction_id}`]: (call) => remove(call, issueIn(call)),
    [`DELETE ${COMMENTS}/{reaction_id}`]: (call) => remove(call, commentIn(call)),
  }),
  ...repositoryRoutes(["pull_requests:write"], {
    [`POST ${PULLS}`]: (call) => add(call, reviewCommentIn(call)),
    [`DELETE ${PULLS}/{reaction_id}`]: (call) => remove(call, reviewCommentIn(call)),
  }),
];

function list(call: RepositoryCall, { reactions }: Written) {
  const content = call.query.get("content");
  const wanted = reactions.filter((each) => content === null || each.content === content);
  return page(
    call,
    wanted.map((each) => reactionBody(call.world, each)),
  );
}

/** The same reaction by the same person is there already, and that is said by 200. */
function add(call: RepositoryCall, { reactions }: Written) {
  const { world, user } = call;
  const { content } = read(reactionRequest, call);
  const known = reactions.find((each) => each.user === user && each.content === content);
  if (known !== undefined) return ok(reactionBody(world, known));
  const reaction = { id: nextId(world), user, content, createdAt: stamp(world) };
  reactions.push(reaction);
  return created(reactionBody(world, reaction));
}

function remove(call: RepositoryCall, { reactions }: Written) {
  const id = numberIn(call, "reaction_id");
  reactions.splice(reactions.indexOf(found(reactions.find((each) => each.id === id))), 1);
  return nothing;
}
