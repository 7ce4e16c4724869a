import { stripVTControlCharacters } from "node:util";
import { setTimeout as pause } from "node:timers/promises";
import type { Hub, SessionResource } from "../../client/hub.ts";
import { everySession } from "../../client/pages.ts";
import { clientEnvironment } from "../../config/client-environment.ts";
import { SessionStatus } from "../../core/session.ts";
import { terminalLine } from "../../core/terminal-text.ts";
import type { ListOptions } from "../commands/list.ts";
import { connect } from "../connection/connect.ts";
import { printJson, printJsonLine } from "../screen/json.ts";
import { untilInterrupted } from "../screen/interrupt.ts";
import { createScreen } from "../screen/screen.ts";
import { statusText } from "../screen/style.ts";
import { screenWidth, shortIds, table } from "../screen/table.ts";
import { ago } from "../screen/time.ts";

const PAGE = 100;
/** Where only a part of the repository's name is known, so many of the newest are looked at. */
const LOOKED_AT = 2_000;
const WATCH_MS = 2_000;

export async function list(options: ListOptions): Promise<void> {
  const hub = await connect(options);
  if (options.watch === true) return await watch(hub, options);
  const sessions = await find(hub, options);
  if (options.json === true) printJson(sessions);
  else process.stdout.write(sessionTable(sessions));
}

async function watch(hub: Hub, options: ListOptions): Promise<void> {
  using signal = untilInterrupted();
  const screen = createScreen();
  let before = "";
  while (!signal.aborted) {
    const sessions = await find(hub, options);
    const now = JSON.stringify(sessions);
    if (options.json !== true) screen.show(sessionTable(sessions));
    else if (now !== before) printJsonLine(sessions);
    before = now;
    await pause(WATCH_MS, undefined, { signal }).catch(() => undefined);
  }
}

async function find(hub: Hub, { status, repo, limit }: ListOptions): Promise<SessionResource[]> {
  const repository = wholeNameOf(repo);
  const query = {
    ...(status === undefined ? {} : { status: statusNamed(status) }),
    ...(repository === null ? {} : { repository }),
  };
  const part = repository === null ? repo : undefined;
  if (part === undefined && limit <= PAGE) return (await hub.list({ ...query, limit })).sessions;
  const found: SessionResource[] = [];
  let seen = 0;
  for await (const session of everySession(hub, query)) {
    if (part === undefined || session.project.repository.includes(part)) found.push(session);
    seen += 1;
    if (found.length === limit || (part !== undefined && seen === LOOKED_AT)) break;
  }
  return found;
}

/** Null: only a part of a name is known. */
function wholeNameOf(repo: string | undefined): string | null {
  if (repo === undefined || repo.includes("/")) return repo ?? null;
  const { owner } = clientEnvironment();
  return owner === null ? null : `${owner}/${repo}`;
}

function statusNamed(name: string): SessionStatus {
  return SessionStatus.parse(name === "stopped" ? "cancelled" : name);
}

export function sessionTable(sessions: SessionResource[]): string {
  if (sessions.length === 0) return "There are no such sessions.\n";
  const short = shortIds(sessions.map(({ id }) => id));
  const rows = sessions.map(({ id, status, type, project, createdAt }) => [
    short(id),
    statusText(status),
    type,
    project.repository,
    ago(createdAt),
    project.requirements,
  ]);
  const used = [0, 1, 2, 3, 4].reduce(
    (sum, column) =>
      sum + 2 + Math.max(...rows.map((row) => stripVTControlCharacters(row[column] ?? "").length)),
    0,
  );
  const room = Math.max(20, screenWidth() - used);
  return table(
    ["ID", "STATUS", "TYPE", "REPOSITORY", "CREATED", "TASK"],
    rows.map((row) => [...row.slice(0, 5), terminalLine(row[5] ?? "", room)]),
  );
}
