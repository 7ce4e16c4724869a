import type { Hub, SessionResource } from "../../client/hub.ts";
import { terminalLine } from "../../core/terminal-text.ts";
import { CommandError } from "../exit.ts";

const WHOLE = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
/** So many of those that may be meant are named. */
const NAMED = 5;

/** The session with this id, or the only one whose id begins so. */
export async function findSession(hub: Hub, text: string): Promise<SessionResource> {
  const id = text.trim();
  if (WHOLE.test(id)) return await hub.get(id.toLowerCase());
  if (!/^[0-9a-f][0-9a-f-]{0,35}$/i.test(id))
    throw new CommandError("usage", `${JSON.stringify(text)} is no id of a session`);
  const { sessions } = await hub.list({ idPrefix: id, limit: NAMED + 1 });
  const [found] = sessions;
  if (found === undefined)
    throw new CommandError("notFound", `there is no session whose id begins with ${id}`);
  if (sessions.length === 1) return found;
  const lines = sessions.slice(0, NAMED).map(line);
  if (sessions.length > NAMED) lines.push("  …");
  throw new CommandError(
    "notFound",
    `several sessions have an id that begins with ${id}; say more of it:\n${lines.join("\n")}`,
  );
}

function line({ id, status, project }: SessionResource): string {
  return `  ${id}  ${status.padEnd(12)}  ${project.repository}  ${terminalLine(project.requirements, 50)}`;
}
