import type { Event } from "../../core/event.ts";
import type { LogsOptions } from "../commands/logs.ts";
import { connect } from "../connection/connect.ts";
import { findSession } from "../connection/find-session.ts";
import { followToEnd, printEvent } from "./follow.ts";

/** Shows the end of a log, and goes on with it when told so. */
export async function logs(text: string, options: LogsOptions): Promise<void> {
  const hub = await connect(options);
  const session = await findSession(hub, text);
  const json = options.json === true;
  const last: Event[] = [];
  let after = 0;
  for await (const event of hub.events(session.id)) {
    after = event.seq;
    if (options.tail === Infinity) printEvent(event, json);
    else last.push(event);
    if (last.length > options.tail) last.shift();
  }
  for (const event of last) printEvent(event, json);
  if (options.follow === true) process.exitCode = await followToEnd(hub, session, { after, json });
}
