import { sql } from "kysely";
import { z } from "zod";
import { conflict, forbidden, invalidRequest } from "../core/errors.ts";
import type { Id } from "../core/id.ts";
import { isOver, TaskPlace } from "../core/orchestration.ts";
import type { NewSession, Session } from "../core/session.ts";
import type { Retry } from "../core/talk.ts";
import type { SessionAgain } from "../sessions/talk/again.ts";
import type { CreateOptions, Sessions } from "../sessions/sessions.ts";
import type { Db, Tx } from "../store/database.ts";
import { insertTasksWithin } from "../store/orchestrations/orchestration-writes.ts";
import { locked } from "./change.ts";
import type { OrchestrationDeps } from "./deps.ts";
import { contextOf } from "./planned.ts";

/** What a session that coordinates wants done by another one. */
export interface NewChild {
  session: NewSession;
  /** For people, and for those that depend on it. */
  title: string;
  /** A child whose work does not count any more; this one is made in its place. */
  replaces?: Id | undefined;
  /** Of the tool: again with the same number is the same child. */
  call: number;
}

/** Sessions as the one that coordinates may have them: its own orchestration's, which do not coordinate others. */
export interface Children {
  /** Throws `forbidden` or `invalid_request` with what it may not, `conflict` when the orchestration wants nothing more. */
  create(coordinator: Coordinator, child: NewChild): Promise<Session>;
  /** The same task once more, in the place of a child that has ended. Throws as `create` does. */
  retry(coordinator: Coordinator, id: Id, how: RetriedChild): Promise<Session>;
}

export interface RetriedChild extends Retry {
  /** Of the tool, as of `NewChild`; those of the two tools are counted apart. */
  call: number;
}

export interface Coordinator extends Pick<Session, "id" | "project" | "metadata" | "options"> {
  orchestrationId: Id;
}

/** @param deps `sessions` are those that are there for the coordinator. */
export function createChildren(
  deps: Pick<OrchestrationDeps, "database" | "settings"> & {
    sessions: Sessions;
    again: Pick<SessionAgain, "retry">;
  },
): Children {
  const { database, sessions, settings, again } = deps;

  async function refuse(coordinator: Coordinator, { session, replaces }: NewChild): Promise<void> {
    const { type, project, dependencies, continues } = session;
    const { orchestrationId } = coordinator;
    const { repository } = coordinator.project;
    if (type === "coordination")
      throw forbidden("session_type: sessions of an orchestration do not coordinate others");
    if (project.repository !== repository)
      throw forbidden(`repository: this orchestration works on ${repository}, and on no other`);
    if ([...dependencies, continues, replaces].includes(coordinator.id))
      throw invalidRequest("session", `${coordinator.id} is your own: it ends after all others`);
    if (
      replaces !== undefined &&
      (await childWithin(database.db, orchestrationId, replaces)) === null
    )
      throw invalidRequest("replaces", `${replaces} is not a session that you have made`);
  }

  /** What belongs to a child as it is made. */
  function within(
    orchestrationId: Id,
    child: Pick<NewChild, "title" | "replaces" | "call">,
    before?: (tx: Tx) => Promise<void>,
  ): NonNullable<CreateOptions["within"]> {
    const { title, replaces, call } = child;
    return {
      async before(tx) {
        await checkWithin(tx, orchestrationId, settings.maxChildren);
        await before?.(tx);
      },
      async after(tx, sessionId) {
        const place = { orchestrationId, role: "task", taskId: null } as const;
        await insertTasksWithin(tx, [{ ...place, sessionId, title, call }]);
        if (replaces !== undefined) await replaceWithin(tx, replaces);
      },
    };
  }

  return {
    async retry({ orchestrationId }, id, { model, call: ordinal }) {
      const call = -ordinal;
      const made = await madeBy(database.db, orchestrationId, call);
      if (made !== null) return await sessions.get(made);
      await sessions.get(id);
      const child = await childWithin(database.db, orchestrationId, id);
      if (child === null)
        throw invalidRequest("session_id", `${id} is not a session that you have made`);
      const more = within(
        orchestrationId,
        { title: child.title, replaces: id, call },
        async (tx) => {
          // Locked by now, so of two that come at the same time the second one sees the first.
          if ((await childWithin(tx, orchestrationId, id))?.place === "replaced")
            throw conflict("another session has taken its place already");
        },
      );
      const inPlace: Sessions = {
        ...sessions,
        create: async (input, options) =>
          await sessions.create(input, { ...options, orchestrationId, within: more }),
      };
      return await again.retry(inPlace, id, { model });
    },
    async create(coordinator, child) {
      const { orchestrationId, metadata, options } = coordinator;
      const { session, call } = child;
      const before = await madeBy(database.db, orchestrationId, call);
      if (before !== null) return await sessions.get(before);
      await refuse(coordinator, child);
      const { project } = session;
      const whole = contextOf(coordinator.project);
      const context = project.context === undefined ? whole : `${project.context}\n\n${whole}`;
      const { limits } = options;
      const made: NewSession = {
        ...session,
        project: { ...project, context },
        metadata,
        options: { ...session.options, ...(limits === undefined ? {} : { limits }) },
      };
      return await sessions.create(made, {
        orchestrationId,
        within: within(orchestrationId, child),
      });
    },
  };
}

/** Locks the orchestration, so that of those who come at the same time none is one too many. */
async function checkWithin(tx: Tx, id: Id, most: number): Promise<void> {
  const { state, cancelRequestedAt } = await locked(tx, id);
  if (isOver(state) || cancelRequestedAt !== null)
    throw conflict("the orchestration is over, and takes no more sessions");
  const { rows } = await sql`select count(*)::int as made from orchestration_tasks
    where orchestration_id = ${id} and role = 'task'`.execute(tx);
  const { made } = z.object({ made: z.int() }).parse(rows[0]);
  if (made >= most)
    throw forbidden(`one orchestration may make ${most} sessions, and this one has made them`);
}

const IdRow = z.object({ session_id: z.string() });

async function madeBy(db: Db, orchestrationId: Id, call: number): Promise<Id | null> {
  const row = await db
    .selectFrom("orchestration_tasks")
    .select("session_id")
    .where("orchestration_id", "=", orchestrationId)
    .where("call", "=", call)
    .executeTakeFirst();
  return row === undefined ? null : IdRow.parse(row).session_id;
}

const ChildRow = z.object({ title: z.string(), place: TaskPlace });

/** A session that the one that coordinates has made; null: it has not made it. */
async function childWithin(db: Db | Tx, orchestrationId: Id, sessionId: Id) {
  const row = await db
    .selectFrom("orchestration_tasks")
    .select(["title", "place"])
    .where("session_id", "=", sessionId)
    .where("orchestration_id", "=", orchestrationId)
    .where("role", "=", "task")
    .executeTakeFirst();
  return row === undefined ? null : ChildRow.parse(row);
}

async function replaceWithin(tx: Tx, sessionId: Id): Promise<void> {
  await tx
    .updateTable("orchestration_tasks")
    .set({ place: "replaced" })
    .where("session_id", "=", sessionId)
    .execute();
}
