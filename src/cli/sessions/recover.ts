import type { Hub, SessionResource } from "../../client/hub.ts";
import { everySession } from "../../client/pages.ts";
import { LIMITS } from "../../core/limits.ts";
import { isFinal, NewSession } from "../../core/session.ts";
import type { RecoverOptions } from "../commands/recover.ts";
import { connect } from "../connection/connect.ts";
import { findSession } from "../connection/find-session.ts";
import { CommandError } from "../exit.ts";
import { printJson } from "../screen/json.ts";
import { statusText } from "../screen/style.ts";
import { table } from "../screen/table.ts";

interface Recovered {
  /** What it was. */
  of: SessionResource;
  session: SessionResource;
}

const GO_ON = "Go on where you were interrupted. This was the task:\n\n";

/**
 * Starts again what has not come to its end. What has ended stays as it is: a new session takes it up, with its
 * conversation and branch if it had begun, and takes its place before those that are recovered with it.
 */
export async function recover(texts: string[], options: RecoverOptions): Promise<void> {
  const hub = await connect(options);
  const named: SessionResource[] = [];
  for (const text of texts) named.push(await findSession(hub, text));
  const done = named.find(({ status }) => status === "completed");
  if (done !== undefined)
    throw new CommandError(
      "refused",
      `session ${done.id} has completed; there is nothing to recover`,
    );
  const all = options.withDependents === true ? await withDependents(hub, named) : named;
  const recovered: Recovered[] = [];
  // What others depend on was made before them.
  for (const of of all.toSorted((a, b) => (a.id < b.id ? -1 : 1)))
    recovered.push({ of, session: await recoverOne(hub, of, recovered) });
  if (options.json === true) return printJson(recovered.map(({ session }) => session));
  process.stdout.write(
    table(
      ["SESSION", "WAS", "NOW", "STATUS"],
      recovered.map(({ of, session }) => [
        of.id,
        statusText(of.status),
        session.id === of.id ? "the same" : session.id,
        statusText(session.status),
      ]),
    ),
  );
}

async function recoverOne(
  hub: Hub,
  session: SessionResource,
  before: Recovered[],
): Promise<SessionResource> {
  if (!isFinal(session.status))
    return session.requestedAt === null ? (await hub.start(session.id)).session : session;
  const { type, project, metadata, options } = session;
  const places = new Map(before.map(({ of, session: now }) => [of.id, now.id]));
  const dependencies = session.dependencies.map((id) => places.get(id) ?? id);
  const hasBegun = session.agentSessionId !== null;
  const again = `${GO_ON}${project.requirements}`;
  const request = NewSession.parse({
    type,
    project:
      hasBegun && again.length <= LIMITS.requirementsChars
        ? { ...project, requirements: again }
        : project,
    dependencies,
    metadata: { ...metadata, recovers: session.id },
    options: { ...options, autoStart: true },
    ...(hasBegun ? { continues: session.id } : {}),
  });
  return await hub.create(request);
}

/** What was cancelled because of them, all the way down. */
async function withDependents(hub: Hub, named: SessionResource[]): Promise<SessionResource[]> {
  const found = new Map(named.map((session) => [session.id, session]));
  for (const { id } of found.values())
    for await (const session of everySession(hub, { dependsOn: id }))
      if (session.status === "cancelled" && session.startedAt === null)
        found.set(session.id, session);
  return [...found.values()];
}
