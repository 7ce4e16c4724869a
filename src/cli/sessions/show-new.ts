import type { Hub, SessionResource } from "../../client/hub.ts";
import { printJson } from "../screen/json.ts";
import { statusText, style } from "../screen/style.ts";
import { followToEnd } from "./follow.ts";

/** Says which session was made, or shows its log to its end. */
export async function showNew(
  hub: Hub,
  session: SessionResource,
  options: { follow?: boolean; json?: boolean },
): Promise<void> {
  const json = options.json === true;
  if (options.follow === true) {
    if (!json) process.stdout.write(`${style("bold", session.id)}\n`);
    process.exitCode = await followToEnd(hub, session, { json });
    return;
  }
  if (json) return printJson(session);
  process.stdout.write(`${style("bold", session.id)}  ${statusText(session.status)}\n`);
  if (process.stdout.isTTY)
    process.stdout.write(
      style("dim", `claude-hub logs ${session.id} --follow shows what it does\n`),
    );
}
