import { GitHubError, found, invalid } from "./errors.ts";
import { roleOf } from "./identity.ts";
import { issueBody, labelBody } from "./present/issue.ts";
import { userBody } from "./present/people.ts";
import { isPull, pullBody } from "./present/pull.ts";
import type { PullIssue } from "./present/pull.ts";
import { numberIn } from "./router.ts";
import type { RepositoryCall } from "./router.ts";
import type { Issue, Json, Label, Repository, User, Written } from "./state.ts";
import { nextId, stamp, userNamed } from "./world.ts";
import type { World } from "./world.ts";

const BODY_LIMIT = 65_536;

export function issueIn(call: RepositoryCall): Issue {
  const number = numberIn(call, "issue_number");
  return found(call.repository.issues.find((each) => each.number === number));
}

export function pullIn(call: RepositoryCall): PullIssue {
  const number = numberIn(call, "pull_number");
  return found(call.repository.issues.filter(isPull).find((each) => each.number === number));
}

/** A text somebody writes, with its author and time. */
export function written({ world, user, app }: RepositoryCall, body: string): Written {
  checkLength(body);
  const time = stamp(world);
  return { id: nextId(world), user, app, body, createdAt: time, updatedAt: time, reactions: [] };
}

export function checkLength(body: string): void {
  if (body.length <= BODY_LIMIT) return;
  throw invalid("Issue", "body", `body is too long (maximum is ${BODY_LIMIT} characters)`);
}

/** Gives an issue or a pull request another title or body; answers what was there before. */
export function changeText(
  issue: Issue,
  { title, body }: { title?: string | undefined; body?: string | null | undefined },
): Json {
  const changes: Json = {};
  if (title !== undefined && title !== issue.title) {
    changes["title"] = { from: issue.title };
    issue.title = title;
  }
  if (body !== undefined && (body ?? "") !== issue.body) {
    checkLength(body ?? "");
    changes["body"] = { from: issue.body };
    issue.body = body ?? "";
  }
  return changes;
}

export function addIssue(
  call: RepositoryCall,
  { title, body }: { title: string; body: string },
): Issue {
  const { repository } = call;
  if (title.length > 256) throw invalid("Issue", "title", "title is too long");
  const issue: Issue = {
    ...written(call, body),
    number: repository.issues.length + 1,
    title,
    labels: [],
    assignees: [],
    state: "open",
    stateReason: null,
    locked: false,
    closedAt: null,
    events: [],
    pull: null,
  };
  repository.issues.push(issue);
  return issue;
}

/** Who does something, and where. */
export type Actor = Pick<RepositoryCall, "world" | "hooks" | "repository" | "user">;

/** Tells of an issue or, if it is one, of a pull request. */
export async function emitIssue(
  { world, hooks, repository, user }: Actor,
  issue: Issue,
  action: string,
  more: Json = {},
): Promise<void> {
  const about = isPull(issue)
    ? { number: issue.number, pull_request: await pullBody(world, repository, issue) }
    : { issue: issueBody(world, repository, issue) };
  const name = isPull(issue) ? "pull_request" : "issues";
  hooks.emit({ name, action, sender: user, repository, payload: { ...about, ...more } });
}

export function noteEvent(call: Actor, issue: Issue, event: string, more: Json = {}) {
  const { world, user } = call;
  issue.updatedAt = stamp(world);
  const createdAt = stamp(world);
  issue.events.push({ id: nextId(world), event, actor: user, createdAt, more });
}

/** Finds a label by name; GitHub makes one that is not there. */
export function labelNamed(world: World, repository: Repository, name: string): Label {
  const known = findLabel(repository, name);
  if (known !== undefined) return known;
  if (name === "" || name.length > 50) throw invalid("Label", "name", "name is too long");
  const label = { id: nextId(world), name, color: "ededed", description: null };
  repository.labels.push(label);
  return label;
}

export function findLabel(repository: Repository, name: string): Label | undefined {
  return repository.labels.find((each) => each.name.toLowerCase() === name.toLowerCase());
}

/** Makes an issue's labels these, and tells of each that came or went. */
export async function setLabels(
  call: RepositoryCall,
  issue: Issue,
  names: readonly string[],
): Promise<void> {
  const { world, repository } = call;
  const wanted = [...new Set(names.map((name) => labelNamed(world, repository, name)))];
  if (wanted.length > 100) throw invalid("Issue", "labels", "too many labels");
  const before = issue.labels;
  issue.labels = wanted;
  const change = async (event: string, label: Label) => {
    const { name, color } = label;
    noteEvent(call, issue, event, { label: { name, color } });
    await emitIssue(call, issue, event, { label: labelBody(world, repository, label) });
  };
  for (const label of wanted) if (!before.includes(label)) await change("labeled", label);
  for (const label of before) if (!wanted.includes(label)) await change("unlabeled", label);
}

export async function setAssignees(
  call: RepositoryCall,
  issue: Issue,
  logins: readonly string[],
): Promise<void> {
  const { world, repository } = call;
  const wanted = logins
    .map((login) => userNamed(world, login))
    // Who may not see the repository's inside is passed over in silence.
    .filter(
      (user) =>
        repository.owner === user || repository.collaborators.has(user) || user.type === "Bot",
    );
  const before = issue.assignees;
  issue.assignees = [...new Set(wanted)];
  const change = async (event: string, user: User) => {
    const assignee = userBody(world, user);
    noteEvent(call, issue, event, { assignee, assigner: userBody(world, call.user) });
    await emitIssue(call, issue, event, { assignee });
  };
  for (const user of issue.assignees) if (!before.includes(user)) await change("assigned", user);
  for (const user of before) if (!issue.assignees.includes(user)) await change("unassigned", user);
}

/** Has a pull request be a draft or none. */
export async function setDraft(actor: Actor, issue: PullIssue, isDraft: boolean): Promise<void> {
  if (issue.pull.draft === isDraft) return;
  issue.pull.draft = isDraft;
  const action = isDraft ? "converted_to_draft" : "ready_for_review";
  noteEvent(actor, issue, isDraft ? "convert_to_draft" : action);
  await emitIssue(actor, issue, action);
}

export async function setState(
  call: RepositoryCall,
  issue: Issue,
  state: Issue["state"],
  reason?: string | null,
): Promise<void> {
  if (issue.state === state) return;
  issue.state = state;
  issue.closedAt = state === "closed" ? stamp(call.world) : null;
  const done = state === "closed" ? "completed" : "reopened";
  issue.stateReason = issue.pull === null ? (reason ?? done) : null;
  const action = state === "closed" ? "closed" : "reopened";
  noteEvent(call, issue, action, {});
  await emitIssue(call, issue, action);
}

/** Authors change what is theirs; so does who may write. */
export function checkMayChange({ repository, user, app }: RepositoryCall, text: Written): void {
  const writer = ["admin", "maintain", "write"].includes(roleOf(repository, user) ?? "");
  if (text.user === user || writer || app !== null) return;
  throw new GitHubError(403, "Must have admin rights to Repository.");
}

/** Who may only read cannot label, assign, lock or close what others opened. */
export function checkMayTriage({ repository, user, app }: RepositoryCall, issue?: Issue): void {
  if (app !== null || issue?.user === user) return;
  if (roleOf(repository, user) !== "read") return;
  throw new GitHubError(403, "Must have admin rights to Repository.");
}

export function checkUnlocked({ repository, user }: RepositoryCall, issue: Issue): void {
  const inside = repository.owner === user || repository.collaborators.has(user);
  if (!issue.locked || inside) return;
  throw new GitHubError(403, "Unable to create comment because issue is locked.");
}
