import { setTimeout as pause } from "node:timers/promises";
import type { Hub, SessionResource } from "../../client/hub.ts";
import { everySession } from "../../client/pages.ts";
import { isFinal } from "../../core/session.ts";
import type { StopOptions } from "../commands/stop.ts";
import { connect } from "../connection/connect.ts";
import { findSession } from "../connection/find-session.ts";
import { printJson } from "../screen/json.ts";
import { statusText } from "../screen/style.ts";
import { table } from "../screen/table.ts";

const LOOK_MS = 500;
const ACTIVE = ["running", "initializing", "pending"] as const;

export async function stop(texts: string[], options: StopOptions): Promise<void> {
  const hub = await connect(options);
  const isAll = texts.length === 1 && texts[0]?.toLowerCase() === "all";
  const sessions = isAll ? await active(hub) : await named(hub, texts);
  const stopped: SessionResource[] = [];
  for (const session of sessions) stopped.push(await cancel(hub, session));
  if (options.wait === true)
    for (const [index, session] of stopped.entries()) stopped[index] = await ended(hub, session);
  if (options.json === true) return printJson(stopped);
  if (stopped.length === 0) process.stdout.write("Nothing waits or runs.\n");
  else
    process.stdout.write(
      table(
        ["ID", "STATUS", "REPOSITORY"],
        stopped.map((one) => [one.id, stateText(one), one.project.repository]),
      ),
    );
}

function stateText({ status, cancelRequestedAt }: SessionResource): string {
  return isFinal(status) || cancelRequestedAt === null ? statusText(status) : "is stopping";
}

/** All are found before the first is stopped: a mistyped id stops nothing. */
async function named(hub: Hub, texts: string[]): Promise<SessionResource[]> {
  const found: SessionResource[] = [];
  for (const text of texts) found.push(await findSession(hub, text));
  return found;
}

/** What was asked to start and has not ended. */
async function active(hub: Hub): Promise<SessionResource[]> {
  const found: SessionResource[] = [];
  for (const status of ACTIVE)
    for await (const session of everySession(hub, { status }))
      if (session.requestedAt !== null) found.push(session);
  return found;
}

/** One that has ended already, or did meanwhile, is as it shall be. */
async function cancel(hub: Hub, session: SessionResource): Promise<SessionResource> {
  if (isFinal(session.status)) return session;
  try {
    return await hub.cancel(session.id);
  } catch (error) {
    const now = await hub.get(session.id);
    if (isFinal(now.status)) return now;
    throw error;
  }
}

async function ended(hub: Hub, session: SessionResource): Promise<SessionResource> {
  let now = session;
  while (!isFinal(now.status)) {
    await pause(LOOK_MS);
    now = await hub.get(session.id);
  }
  return now;
}
