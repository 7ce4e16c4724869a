import { invalidRequest } from "../core/errors.ts";
import { newId, sandboxName } from "../core/id.ts";
import type { Id } from "../core/id.ts";
import type { NewSession, Session } from "../core/session.ts";
import { asHubError } from "../store/failure.ts";
import { lockSessions } from "../store/events.ts";
import { insertWithin, readWithin } from "../store/sessions.ts";
import type { SessionInsert } from "../store/sessions.ts";
import type { StoredSession } from "../store/session-row.ts";
import { inTransaction } from "../store/transaction.ts";
import type { SessionDeps } from "./deps.ts";
import { endWithin } from "./ending.ts";
import { requestWithin } from "./start.ts";

/** Makes a session; durable before it resolves. */
export async function createSession(
  deps: SessionDeps,
  input: NewSession,
  orchestrationId: Id | null,
): Promise<Session> {
  const id = newId();
  const insert: SessionInsert = {
    id,
    session: input,
    sandboxName: sandboxName(id),
    orchestrationId,
    createdAt: deps.clock.now().toISOString(),
  };
  const startsByItself = input.options?.autoStart === true;
  if (input.dependencies.length === 0 && !startsByItself) {
    try {
      await deps.sessions.insert(insert);
    } catch (error) {
      throw asHubError(error);
    }
    return asCreated(insert);
  }
  return await insertWithDependencies(deps, insert, startsByItself);
}

async function insertWithDependencies(
  deps: SessionDeps,
  insert: SessionInsert,
  startsByItself: boolean,
): Promise<Session> {
  const { dependencies } = insert.session;
  return await inTransaction(deps.database, async (tx) => {
    await lockSessions(tx, dependencies);
    const found = await readWithin(tx, dependencies);
    const unknown = dependencies.find((id) => !found.some((session) => session.id === id));
    if (unknown !== undefined) throw invalidRequest("dependencies", `no session ${unknown}`);
    const open = found.filter(({ status }) => status !== "completed");
    const broken = found.find(({ status }) => status === "failed" || status === "cancelled");
    await insertWithin(tx, [{ insert, openDependencies: open.length }]);
    const at = deps.clock.now();
    if (broken !== undefined) {
      const verb = broken.status === "failed" ? "failed" : "was cancelled";
      const error = `Cancelled because session ${broken.id}, which it depends on, ${verb}`;
      await endWithin(tx, insert.id, { status: "cancelled", error, events: [] }, at);
    } else if (startsByItself) await requestWithin(tx, insert.id, open.map(idOf), at);
    const [made] = await readWithin(tx, [insert.id]);
    if (made === undefined) throw new Error("a session that was just inserted is not there");
    return made;
  });
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
    metadata: session.metadata ?? {},
    options: session.options ?? {},
    sandboxName: name,
    agentSessionId: null,
    workBranch: null,
    error: null,
    usage: {
      inputTokens: 0,
      outputTokens: 0,
      cacheReadTokens: 0,
      cacheWriteTokens: 0,
      costUsd: 0,
      modelCalls: 0,
    },
    createdAt,
    requestedAt: null,
    admittedAt: null,
    startedAt: null,
    completedAt: null,
    cancelRequestedAt: null,
  } satisfies Session;
}
