import { z } from "zod";
import { found } from "../errors.ts";
import {
  addIssue,
  changeText,
  checkLength,
  checkMayChange,
  checkMayTriage,
  checkUnlocked,
  emitIssue,
  issueIn,
  noteEvent,
  setAssignees,
  setLabels,
  setState,
  written,
} from "../issues.ts";
import { commentBody, eventBody, issueBody } from "../present/issue.ts";
import { created, nothing, numberIn, ok, page, read, repositoryRoutes } from "../router.ts";
import type { RepositoryCall, Route } from "../router.ts";
import { roleOf } from "../identity.ts";
import type { Comment, Json } from "../state.ts";
import { stamp } from "../world.ts";

const EITHER_READ = ["issues:read", "pull_requests:read"];
const EITHER_WRITE = ["issues:write", "pull_requests:write"];

const labelNames = z.array(z.union([z.string(), z.object({ name: z.string() })]));
const issueRequest = z.object({
  title: z.union([z.string(), z.number()]).transform(String),
  body: z.string().nullish(),
  labels: labelNames.optional(),
  assignees: z.array(z.string()).optional(),
});
const issueChange = issueRequest.partial().extend({
  state: z.enum(["open", "closed"]).optional(),
  state_reason: z.string().nullish(),
});
const commentRequest = z.object({ body: z.string().min(1) });
const assigneesRequest = z.object({ assignees: z.array(z.string()) });

export const issueRoutes: Route[] = [
  ...repositoryRoutes(EITHER_READ, {
    "GET /issues": (call) => page(call, listed(call)),
    "GET /issues/{issue_number}": (call) =>
      ok(issueBody(call.world, call.repository, issueIn(call))),
    "GET /issues/{issue_number}/comments": (call) => {
      const issue = issueIn(call);
      return comments(call, (each) => each.issue === issue);
    },
    "GET /issues/comments": (call) => comments(call, () => true),
    "GET /issues/comments/{comment_id}": (call) =>
      ok(commentBody(call.world, call.repository, commentIn(call))),
    "GET /issues/{issue_number}/events": (call) => {
      const { world, repository } = call;
      return page(
        call,
        issueIn(call).events.map((each) => eventBody(world, repository, each)),
      );
    },
  }),
  ...repositoryRoutes(["issues:write"], {
    "POST /issues": async (call) => {
      const { title, body, labels, assignees } = read(issueRequest, call);
      const issue = addIssue(call, { title, body: body ?? "" });
      await emitIssue(call, issue, "opened");
      // Who may not triage has his labels and assignees passed over.
      if (roleOf(call.repository, call.user) !== "read" || call.app !== null) {
        await setLabels(call, issue, names(labels ?? []));
        await setAssignees(call, issue, assignees ?? []);
      }
      return created(issueBody(call.world, call.repository, issue));
    },
  }),
  ...repositoryRoutes(EITHER_WRITE, {
    "PATCH /issues/{issue_number}": async (call) => {
      const issue = issueIn(call);
      await changeIssue(call, issue);
      return ok(issueBody(call.world, call.repository, issue));
    },
    "POST /issues/{issue_number}/comments": (call) => {
      const { world, hooks, repository, user } = call;
      const issue = issueIn(call);
      const { body } = read(commentRequest, call);
      checkUnlocked(call, issue);
      const comment = { ...written(call, body), issue };
      repository.comments.push(comment);
      issue.updatedAt = stamp(world);
      const payload = about(call, comment);
      const action = "created";
      hooks.emit({ name: "issue_comment", action, sender: user, repository, payload });
      return created(commentBody(world, repository, comment));
    },
    "PATCH /issues/comments/{comment_id}": (call) => {
      const { world, hooks, repository, user } = call;
      const comment = commentIn(call);
      const { body } = read(commentRequest, call);
      checkMayChange(call, comment);
      checkLength(body);
      const changes = { body: { from: comment.body } };
      comment.body = body;
      comment.updatedAt = stamp(world);
      const payload = { ...about(call, comment), changes };
      const action = "edited";
      hooks.emit({ name: "issue_comment", action, sender: user, repository, payload });
      return ok(commentBody(world, repository, comment));
    },
    "DELETE /issues/comments/{comment_id}": (call) => {
      const { hooks, repository, user } = call;
      const comment = commentIn(call);
      checkMayChange(call, comment);
      repository.comments.splice(repository.comments.indexOf(comment), 1);
      const payload = about(call, comment);
      const action = "deleted";
      hooks.emit({ name: "issue_comment", action, sender: user, repository, payload });
      return nothing;
    },
    "POST /issues/{issue_number}/assignees": async (call) => {
      const issue = issueIn(call);
      checkMayTriage(call, issue);
      const before = issue.assignees.map((user) => user.login);
      await setAssignees(call, issue, [...before, ...read(assigneesRequest, call).assignees]);
      return created(issueBody(call.world, call.repository, issue));
    },
    "DELETE /issues/{issue_number}/assignees": async (call) => {
      const issue = issueIn(call);
      checkMayTriage(call, issue);
      const gone = read(assigneesRequest, call).assignees;
      const left = issue.assignees.map((user) => user.login).filter((each) => !gone.includes(each));
      await setAssignees(call, issue, left);
      return ok(issueBody(call.world, call.repository, issue));
    },
    "PUT /issues/{issue_number}/lock": async (call) => await lock(call, true),
    "DELETE /issues/{issue_number}/lock": async (call) => await lock(call, false),
  }),
];

function listed(call: RepositoryCall): Json[] {
  const { world, repository, query } = call;
  const state = query.get("state") ?? "open";
  const since = query.get("since") ?? "";
  const labels = (query.get("labels") ?? "").split(",").filter((name) => name !== "");
  const creator = query.get("creator");
  return repository.issues
    .filter((issue) => state === "all" || issue.state === state)
    .filter((issue) => since === "" || new Date(issue.updatedAt) >= new Date(since))
    .filter((issue) => creator === null || issue.user.login === creator)
    .filter((issue) => labels.every((name) => issue.labels.some((label) => label.name === name)))
    .map((issue) => issueBody(world, repository, issue))
    .toReversed();
}

function comments(call: RepositoryCall, wanted: (comment: Comment) => boolean) {
  const { world, repository, query } = call;
  const since = query.get("since");
  const chosen = repository.comments
    .filter(wanted)
    .filter((each) => since === null || new Date(each.updatedAt) >= new Date(since));
  return page(
    call,
    chosen.map((each) => commentBody(world, repository, each)),
  );
}

export function commentIn(call: RepositoryCall): Comment {
  const id = numberIn(call, "comment_id");
  return found(call.repository.comments.find((each) => each.id === id));
}

function about({ world, repository }: RepositoryCall, comment: Comment): Json {
  return {
    issue: issueBody(world, repository, comment.issue),
    comment: commentBody(world, repository, comment),
  };
}

async function changeIssue(call: RepositoryCall, issue: ReturnType<typeof issueIn>): Promise<void> {
  const change = read(issueChange, call);
  checkMayChange(call, issue);
  const changes = changeText(issue, change);
  issue.updatedAt = stamp(call.world);
  if (Object.keys(changes).length > 0) await emitIssue(call, issue, "edited", { changes });
  if (change.labels !== undefined) await setLabels(call, issue, names(change.labels));
  if (change.assignees !== undefined) await setAssignees(call, issue, change.assignees);
  if (change.state !== undefined) await setState(call, issue, change.state, change.state_reason);
}

function names(labels: z.infer<typeof labelNames>): string[] {
  return labels.map((label) => (typeof label === "string" ? label : label.name));
}

async function lock(call: RepositoryCall, locked: boolean) {
  const issue = issueIn(call);
  checkMayTriage(call);
  issue.locked = locked;
  const action = locked ? "locked" : "unlocked";
  noteEvent(call, issue, action);
  await emitIssue(call, issue, action);
  return nothing;
}
