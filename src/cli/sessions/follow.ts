import type { Hub, SessionResource } from "../../client/hub.ts";
import { eventText } from "../../core/event-text.ts";
import type { Event } from "../../core/event.ts";
import { EXIT } from "../exit.ts";
import { untilInterrupted } from "../screen/interrupt.ts";
import { printJsonLine } from "../screen/json.ts";
import { eventStyle, statusText, style } from "../screen/style.ts";

export function printEvent(event: Event, json: boolean): void {
  if (json) printJsonLine(event);
  else
    process.stdout.write(
      `${style("dim", event.at.slice(11, 19))}  ${style(eventStyle(event.kind), eventText(event))}\n`,
    );
}

/**
 * Shows a session's log from there on to its end. Interrupted, it only stops looking: the session goes on.
 *
 * @returns The exit code.
 */
export async function followToEnd(
  hub: Hub,
  { id }: Pick<SessionResource, "id">,
  { after = 0, json = false }: { after?: number; json?: boolean },
): Promise<number> {
  using signal = untilInterrupted();
  for await (const event of hub.follow(id, { after, signal })) printEvent(event, json);
  if (signal.aborted) {
    process.stderr.write(
      `\nThe session goes on. claude-hub logs ${id} --follow shows it, claude-hub stop ${id} ends it.\n`,
    );
    return EXIT.interrupted.code;
  }
  const ended = await hub.get(id);
  if (!json) process.stdout.write(`${style("bold", id)}  ${statusText(ended.status)}\n`);
  return ended.status === "completed" ? EXIT.ok.code : EXIT.failed.code;
}
