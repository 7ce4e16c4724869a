import { setTimeout as pause } from "node:timers/promises";
import type { Hub, SessionResource } from "../../client/hub.ts";
import { everySession } from "../../client/pages.ts";
import { isFinal } from "../../core/session.ts";
import { terminalLine } from "../../core/terminal-text.ts";
import type { GraphOptions } from "../commands/graph.ts";
import { connect } from "../connection/connect.ts";
import { findStart } from "./find-start.ts";
import { CommandError } from "../exit.ts";
import { untilInterrupted } from "../screen/interrupt.ts";
import { printJson, printJsonLine } from "../screen/json.ts";
import { createScreen } from "../screen/screen.ts";
import { statusText, style } from "../screen/style.ts";
import { shortIds } from "../screen/table.ts";
import { tree } from "../screen/tree.ts";

const LOOK_MS = 1_000;
/** So many are drawn at the most. */
const LARGEST = 500;

export async function graph(text: string, options: GraphOptions): Promise<void> {
  const hub = await connect(options);
  const json = options.json === true;
  if (options.watch !== true) {
    const sessions = await belonging(hub, text);
    if (json) printJson(sessions);
    else process.stdout.write(drawn(sessions));
    return;
  }
  using signal = untilInterrupted();
  const screen = createScreen();
  let before = "";
  while (!signal.aborted) {
    const sessions = await belonging(hub, text);
    const now = JSON.stringify(sessions);
    if (!json) screen.show(drawn(sessions));
    else if (now !== before) printJsonLine(sessions);
    before = now;
    if (sessions.every(({ status }) => isFinal(status))) return;
    await pause(LOOK_MS, undefined, { signal }).catch(() => undefined);
  }
}

/** The sessions of an orchestration, or those that come before and after a session; the oldest first. */
async function belonging(hub: Hub, text: string): Promise<SessionResource[]> {
  const { session: start, orchestrationId } = await findStart(hub, text);
  const found = new Map<string, SessionResource>();
  if (orchestrationId !== null)
    for await (const session of everySession(hub, { orchestrationId })) {
      found.set(session.id, session);
      if (found.size === LARGEST) break;
    }
  if (start !== null) await addNeighbours(hub, start, found);
  if (found.size === 0)
    throw new CommandError("notFound", `there is no session and no orchestration ${text}`);
  return inOrder([...found.values()]);
}

async function addNeighbours(
  hub: Hub,
  start: SessionResource,
  found: Map<string, SessionResource>,
): Promise<void> {
  const todo = [start];
  for (let next = todo.shift(); next !== undefined; next = todo.shift()) {
    found.set(next.id, next);
    if (found.size >= LARGEST) return;
    for (const id of next.dependencies) if (!found.has(id)) todo.push(await hub.get(id));
    for await (const session of everySession(hub, { dependsOn: next.id }))
      if (!found.has(session.id)) todo.push(session);
  }
}

/** What a session depends on was made before it; ids are in the order of making. */
function inOrder(sessions: SessionResource[]): SessionResource[] {
  return sessions.toSorted((a, b) => (a.id < b.id ? -1 : 1));
}

function drawn(sessions: SessionResource[]): string {
  const short = shortIds(sessions.map(({ id }) => id));
  const nodes = sessions.map(({ id, dependencies, status, type, metadata, project }) => {
    const task = metadata["task"];
    const name = typeof task === "string" ? `${terminalLine(task, 40)}  ` : "";
    const what = terminalLine(project.requirements, 50);
    return {
      id,
      after: dependencies,
      text: `${style("bold", short(id))}  ${statusText(status)}  ${name}${type}  ${what}`,
    };
  });
  return tree(nodes, short);
}
