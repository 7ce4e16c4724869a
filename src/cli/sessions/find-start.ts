import type { Hub, SessionResource } from "../../client/hub.ts";
import { HubRefusal } from "../../client/refusal.ts";
import { findSession } from "../connection/find-session.ts";
import { CommandError } from "../exit.ts";

const WHOLE = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const PREFIX = /^[0-9a-f][0-9a-f-]{0,35}$/i;
/** So many of those that may be meant are named. */
const NAMED = 6;

/** Where a graph is drawn from: a session, with its orchestration if it has one; or an orchestration. */
export interface Start {
  session: SessionResource | null;
  orchestrationId: string | null;
}

/** The session or orchestration with this id, or the only one whose id begins so. */
export async function findStart(hub: Hub, text: string): Promise<Start> {
  const id = text.trim().toLowerCase();
  if (WHOLE.test(id) || !PREFIX.test(id)) return await wholeOf(hub, id);
  const [{ sessions }, { orchestrations }] = await Promise.all([
    hub.list({ idPrefix: id, limit: NAMED }),
    hub.orchestrations({ idPrefix: id, limit: NAMED }),
  ]);
  const [session] = sessions;
  const [orchestration] = orchestrations;
  if (orchestration === undefined) {
    if (session === undefined)
      throw new CommandError(
        "notFound",
        `there is no session and no orchestration whose id begins with ${id}`,
      );
    if (sessions.length === 1) return { session, orchestrationId: session.orchestrationId };
  }
  // Those that were made with it at the same moment begin like it, and are in its graph.
  const others = sessions.filter((one) => one.orchestrationId !== orchestration?.id);
  if (orchestration !== undefined && orchestrations.length === 1 && others.length === 0)
    return { session: null, orchestrationId: orchestration.id };
  const lines = [
    ...orchestrations.map((one) => `  ${one.id}  orchestration  ${one.state}`),
    ...sessions.map((one) => `  ${one.id}  session  ${one.status}`),
  ];
  throw new CommandError(
    "notFound",
    `several ids begin with ${id}; say more of it:\n${lines.join("\n")}`,
  );
}

async function wholeOf(hub: Hub, id: string): Promise<Start> {
  try {
    const session = await findSession(hub, id);
    return { session, orchestrationId: session.orchestrationId };
  } catch (error) {
    if (!(error instanceof HubRefusal) || error.status !== 404) throw error;
    return { session: null, orchestrationId: id };
  }
}
