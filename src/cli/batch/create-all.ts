import { z } from "zod";
import type { SessionResource } from "../../client/hub.ts";
import { HubRefusal } from "../../client/refusal.ts";
import type { NamedTask } from "../../core/batch-file.ts";
import { newId } from "../../core/id.ts";
import type { Id } from "../../core/id.ts";
import { NewSession } from "../../core/session.ts";
import { CommandError } from "../exit.ts";
import { wholeName } from "../sessions/repository-name.ts";
import { aboutThread } from "../sessions/about-thread.ts";

/** What is asked of the hub for a task; what it needs is known by name only. */
export interface Request {
  task: NamedTask;
  session: NewSession;
}

/** A task, and its session as it was seen last. */
export interface Made<Session = SessionResource> {
  task: NamedTask;
  session: Session;
}

/** All are looked at before the first is made. */
export function requestsFor(tasks: NamedTask[], owner: string | null): Request[] {
  const batch = newId();
  return tasks.map((task) => {
    const repository = wholeName(task.repo, owner);
    const about = aboutThread(repository, task);
    const { branch, timeout, resourceLimits: limits, budget } = task;
    const parsed = NewSession.safeParse({
      type: task.type,
      project: {
        repository,
        requirements: task.command,
        ...(branch === undefined ? {} : { branch }),
        ...(about === null ? {} : { context: about.context }),
      },
      metadata: { ...about?.metadata, batch, task: task.id },
      options: {
        autoStart: false,
        ...(timeout === undefined ? {} : { timeout }),
        ...(limits === undefined ? {} : { limits }),
        ...(budget === undefined ? {} : { budget }),
      },
    });
    if (parsed.success) return { task, session: parsed.data };
    const why = z.prettifyError(parsed.error);
    throw new CommandError("usage", `task ${task.id}: ${why}`, { cause: parsed.error });
  });
}

interface Creator<Session> {
  create(session: NewSession): Promise<Session>;
  cancel(id: Id): Promise<unknown>;
}

/** Makes all and starts none; when one is refused, none is left. */
export async function createAll<Session extends { id: Id }>(
  hub: Creator<Session>,
  requests: Request[],
  signal: AbortSignal,
): Promise<Made<Session>[]> {
  const made = new Map<string, Made<Session>>();
  try {
    for (const { task, session } of requests) {
      signal.throwIfAborted();
      const dependencies = task.needs.flatMap((id) => made.get(id)?.session.id ?? []);
      made.set(task.id, { task, session: await hub.create({ ...session, dependencies }) });
    }
  } catch (error) {
    const left = await cancelAll(hub, [...made.values()].toReversed());
    if (left.length > 0)
      throw new CommandError(
        "failed",
        `not all could be made, and these are left: ${left.join(", ")}`,
        {
          cause: error,
        },
      );
    if (signal.aborted)
      throw new CommandError("interrupted", "interrupted; nothing was started", { cause: error });
    if (!(error instanceof HubRefusal)) throw error;
    const at = requests[made.size]?.task.id ?? "";
    throw new HubRefusal(error.status, `task ${at}: ${error.detail ?? ""}`, { cause: error });
  }
  return [...made.values()];
}

/** Answers those that could not be cancelled; the others do not stay for it. */
async function cancelAll<Session extends { id: Id }>(
  hub: Creator<Session>,
  all: Made<Session>[],
): Promise<string[]> {
  const left: string[] = [];
  for (const { session } of all)
    await hub.cancel(session.id).catch(() => void left.push(session.id));
  return left;
}
