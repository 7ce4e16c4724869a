import { conflict, notFound } from "../../core/errors.ts";
import { Id } from "../../core/id.ts";
import type { Job } from "../../core/job.ts";
import type { StoredSession } from "../../store/sessions/session-row.ts";
import type { SessionDeps } from "../deps.ts";
import { tellRefusal } from "../sandbox/image.ts";
import { ownBranchOf, policyOf } from "./permitted.ts";
import { systemPrompt, taskPrompt } from "./prompt.ts";
import type { PromptParts } from "./prompt.ts";
import { resultsText } from "./results.ts";
import { recordSandbox } from "../sandbox/sandbox.ts";

/** Everything that the session's runner needs to know; no credential. */
export async function jobOf(deps: SessionDeps, id: Id): Promise<Job> {
  const session = await deps.sessions.get(id);
  if (session === null) throw notFound("Session");
  const { settings } = deps;
  const { deadlineAt } = session;
  const isPrepared = session.preparedAt !== null;
  if (deadlineAt === null && !isPrepared) throw conflict("Session has no slot");
  // A hub may have died before it could note it, and its runner may have ended before the next one looks.
  if (session.sandboxCreatedAt === null) await recordSandbox(deps, id, "created");
  const policy = session.policy ?? policyOf(deps, session);
  const { terms } = session;
  const workBranch = session.workBranch ?? ownBranchOf(session);
  const before = await continued(deps, session);
  const { commit } = session.terms;
  if (commit !== null) await deps.repositories.bring(session.project.repository, commit);
  const { defaultBranch, baseBranch, otherBranches, headOf } = await basis(deps, session, before);
  const results = await deps.before.results(id);
  const tools = [...(await deps.tools.namesFor(id))];
  const parts: PromptParts = {
    type: session.type,
    sessionId: id,
    project: session.project,
    baseBranch,
    workBranch,
    otherBranches,
    hosts: settings.hosts,
    terms,
    tools,
    before: before === null || before.canResume ? null : before,
    results: resultsText(results, headOf),
  };
  return {
    sessionId: id,
    type: session.type,
    agent: settings.agent.name,
    agentExecutable: settings.agent.executable,
    model: terms.model ?? settings.agent.model,
    modelForm: settings.agent.modelForm,
    prompt: taskPrompt(parts),
    systemPrompt: systemPrompt(parts),
    answerSchema: terms.answerSchema,
    check: terms.check,
    toolset: terms.toolset,
    hubTools: tools,
    ...conversationOf(session, before),
    workspace: {
      repository: session.project.repository,
      baseBranch,
      commit: commit?.sha ?? null,
      startAt: terms.fork?.sha ?? null,
      defaultBranch,
      workBranch,
      author: settings.author,
    },
    askTools: await askToolsOf(deps, session),
    setup: policy.edit ? await setupOf(deps, session) : [],
    policy,
    limits: {
      deadlineAt,
      // Who waits for others has nothing to say.
      stallMs: terms.toolset === "coordination" ? settings.coordinationMs : settings.stallMs,
      setupMs: settings.setupMs,
      idleMs: settings.idleMs,
      spoolBytes: settings.spoolBytes,
    },
  };
}

/** A repository may have more asked for than the operator, and never less. */
async function askToolsOf(deps: SessionDeps, { project, terms }: StoredSession): Promise<string[]> {
  const { askTools } = deps.settings;
  if (terms.toolset === "none") return [];
  const { settings } = await deps.repositories.settings(project.repository);
  return [...new Set([...askTools, ...(settings.ask?.tools ?? [])])];
}

/** Commands that prepare the workspace; who sees nothing of the repository prepares nothing. */
async function setupOf(
  deps: SessionDeps,
  { id, project, terms }: StoredSession,
): Promise<string[]> {
  if (terms.toolset === "none") return [];
  const { settings, fault } = await deps.repositories.settings(project.repository);
  if (fault !== null) await tellRefusal(deps, id, fault);
  return settings.setup;
}

/** A fork is a conversation of its own, which begins with a part of another one. */
function conversationOf(
  { id, terms: { fork } }: StoredSession,
  before: { agentSessionId: Id; canResume: boolean } | null,
): Pick<Job, "agentSessionId" | "resume" | "fork"> {
  if (before?.canResume !== true) return { agentSessionId: id, resume: false, fork: null };
  const { agentSessionId } = before;
  if (fork === null) return { agentSessionId, resume: true, fork: null };
  return {
    agentSessionId: id,
    resume: false,
    fork: { from: agentSessionId, upTo: fork.messageId },
  };
}

/** The session that this one goes on with, or comes from, and whether its conversation can be resumed. */
async function continued(deps: SessionDeps, { continuesId, terms }: StoredSession) {
  const id = continuesId ?? terms.fork?.sessionId ?? null;
  const before = id === null ? null : await deps.sessions.get(id);
  if (before === null) return null;
  const agentSessionId = Id.safeParse(before.agentSessionId).data;
  const canResume = agentSessionId !== undefined && (await deps.conversations.has(before.id));
  const result = await deps.results.get(before.id);
  return {
    agentSessionId: agentSessionId ?? before.id,
    canResume,
    workBranch: before.workBranch,
    requirements: before.project.requirements,
    summary: result?.summary ?? "",
  };
}

/**
 * Where the work begins: on the branch that the work is for, or that of the session that this one goes on with; on the
 * branch of the one session before it, if exactly one has pushed here (of one that has not, on what that began with); else on
 * the branch that the project names, if it exists; else on the default branch.
 */
async function basis(
  deps: SessionDeps,
  session: StoredSession,
  before: { workBranch: string | null } | null,
) {
  const { repository, branch } = session.project;
  if (session.terms.toolset === "none")
    return { defaultBranch: null, baseBranch: null, otherBranches: [], headOf: () => null };
  // Whose branch it is may have pushed just now, and then asked.
  const maxAgeMs = session.onto === null ? undefined : 0;
  const branches = await deps.repositories.branches(repository, maxAgeMs);
  const headOf = (name: string) => (branches.has(name) ? branches.head(name) : null);
  const pushed = (await deps.before.branches(session.id)).filter((name) => branches.has(name));
  const [only, ...more] = pushed;
  const named = branch !== undefined && branches.has(branch) ? branch : branches.defaultBranch;
  const follows = only !== undefined && more.length === 0;
  const { defaultBranch } = branches;
  const own = session.onto ?? before?.workBranch ?? null;
  if (own !== null && branches.has(own))
    return { defaultBranch, baseBranch: own, otherBranches: pushed, headOf };
  return {
    defaultBranch,
    baseBranch: follows ? only : named,
    otherBranches: follows ? [] : pushed,
    headOf,
  };
}
