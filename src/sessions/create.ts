import { asBounds } from "../core/budget.ts";
import { conflict, invalidRequest } from "../core/errors.ts";
import { newId, sandboxName } from "../core/id.ts";
import type { Id } from "../core/id.ts";
import { NO_USAGE } from "../core/session.ts";
import type { NewSession, Session } from "../core/session.ts";
import { SessionTerms } from "../core/session-terms.ts";
import { asHubError } from "../store/failure.ts";
import type { Tx } from "../store/database.ts";
import { lockSessions } from "../store/log/events.ts";
import { continuationOf, insertWithin, readWithin } from "../store/sessions/sessions.ts";
import type { SessionInsert } from "../store/sessions/sessions.ts";
import type { StoredSession } from "../store/sessions/session-row.ts";
import { inTransaction } from "../store/transaction.ts";
import type { SessionDeps } from "./deps.ts";
import { createSharedBudgets } from "./budgets/budgets.ts";
import { endWithin } from "./ending/ending.ts";
import { limitsFor } from "./limits.ts";
import type { CreateOptions } from "./sessions.ts";
import { requestWithin } from "./start.ts";
import { termsAfter } from "./talk/again.ts";

/** Makes a session; durable before it resolves. */
export async function createSession(
  deps: SessionDeps,
  input: NewSession,
  {
    id = newId(),
    orchestrationId = null,
    onto = null,
    terms,
    carriesOn = false,
    within,
  }: CreateOptions,
): Promise<Session> {
  // Told now, and not when there is a slot at last.
  limitsFor(deps.settings, input.options?.limits);
  if (orchestrationId !== null && !carriesOn)
    await createSharedBudgets(deps).refuseBigger(orchestrationId, input.options?.budget);
  const insert: SessionInsert = {
    id,
    session: input,
    sandboxName: sandboxName(id),
    orchestrationId,
    onto,
    terms: terms === undefined ? null : SessionTerms.parse(terms),
    createdAt: deps.clock.now().toISOString(),
  };
  const startsByItself = input.options?.autoStart === true;
  const standsAlone = input.dependencies.length === 0 && input.continues === undefined;
  if (standsAlone && !startsByItself && within === undefined) {
    try {
      await deps.sessions.insert(insert);
    } catch (error) {
      throw asHubError(error);
    }
    return asCreated(insert);
  }
  return await insertWithDependencies(deps, insert, startsByItself, within);
}

async function insertWithDependencies(
  deps: SessionDeps,
  insert: SessionInsert,
  startsByItself: boolean,
  within: CreateOptions["within"],
): Promise<Session> {
  const { dependencies, continues } = insert.session;
  return await inTransaction(deps.database, async (tx) => {
    await within?.before(tx);
    await lockSessions(tx, [...dependencies, ...(continues === undefined ? [] : [continues])]);
    const before = continues === undefined ? null : await readContinued(tx, insert.session);
    const waitsFor = before !== null && isAwaited(before, dependencies) ? [before.id] : [];
    const found = await readWithin(tx, dependencies);
    const unknown = dependencies.find((id) => !found.some((session) => session.id === id));
    if (unknown !== undefined) throw invalidRequest("dependencies", `no session ${unknown}`);
    const open = found.filter(({ status }) => status !== "completed");
    const broken = found.find(({ status }) => status === "failed" || status === "cancelled");
    const openDependencies = open.length + waitsFor.length;
    await insertWithin(tx, [{ insert: following(before, insert), openDependencies, waitsFor }]);
    await within?.after(tx, insert.id);
    const at = deps.clock.now();
    if (broken !== undefined) {
      const verb = broken.status === "failed" ? "failed" : "was cancelled";
      const error = `Cancelled because session ${broken.id}, which it depends on, ${verb}`;
      await endWithin(tx, insert.id, { status: "cancelled", error, events: [] }, at);
    } else if (startsByItself)
      await requestWithin(tx, insert.id, [...open.map(idOf), ...waitsFor], at);
    const [made] = await readWithin(tx, [insert.id]);
    if (made === undefined) throw new Error("a session that was just inserted is not there");
    return made;
  });
}

/** The session that is to be gone on with, which is locked; throws when that may not be. */
async function readContinued(
  tx: Tx,
  { continues = "", project }: NewSession,
): Promise<StoredSession> {
  const [before] = await readWithin(tx, [continues]);
  if (before === undefined) throw invalidRequest("continues", `no session ${continues}`);
  if (before.project.repository !== project.repository)
    throw invalidRequest("continues", `session ${continues} is of another repository`);
  const next = await continuationOf(tx, continues);
  if (next !== null)
    throw conflict(`Session ${continues} is continued by ${next} already: continue that one`);
  return before;
}

/** One that it depends on as well is waited for anyway. */
function isAwaited({ id, completedAt }: StoredSession, dependencies: Id[]): boolean {
  return completedAt === null && !dependencies.includes(id);
}

/** Unless the hub itself says what holds for it: with a new session nobody gets rid of a budget, or of a pull request's branch. */
function following(before: StoredSession | null, insert: SessionInsert): SessionInsert {
  if (before === null || insert.terms !== null) return insert;
  const orchestrationId = insert.orchestrationId ?? before.orchestrationId;
  return { ...insert, orchestrationId, onto: before.onto, terms: termsAfter(before) };
}

function idOf({ id }: StoredSession): Id {
  return id;
}

/** What a session without dependencies is, known without asking the store. */
function asCreated({ id, session, sandboxName: name, orchestrationId, createdAt }: SessionInsert) {
  return {
    id,
    type: session.type,
    status: "initializing",
    project: session.project,
    dependencies: [],
    orchestrationId,
    continuesId: null,
    metadata: session.metadata ?? {},
    options: session.options ?? {},
    sandboxName: name,
    agentSessionId: null,
    workBranch: null,
    error: null,
    usage: NO_USAGE,
    budget: asBounds(session.options?.budget),
    pause: null,
    pausedMs: 0,
    createdAt,
    requestedAt: null,
    admittedAt: null,
    startedAt: null,
    completedAt: null,
    cancelRequestedAt: null,
  } satisfies Session;
}
