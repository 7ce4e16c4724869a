import { text } from "node:stream/consumers";
import type { SendOptions } from "../commands/send.ts";
import { connect } from "../connection/connect.ts";
import { findSession } from "../connection/find-session.ts";
import { CommandError } from "../exit.ts";
import { printJson } from "../screen/json.ts";

export async function send(id: string, words: string, options: SendOptions): Promise<void> {
  const said = (words === "-" ? await text(process.stdin) : words).trim();
  if (said === "") throw new CommandError("usage", "there is nothing to tell");
  const hub = await connect(options);
  const session = await findSession(hub, id);
  const sent = await hub.message(session.id, { text: said, interrupt: options.interrupt === true });
  if (options.json === true) printJson(sent);
  else process.stdout.write(`Sent to ${session.id}; it is read at the agent's next step.\n`);
}

export async function interrupt(id: string, options: SendOptions): Promise<void> {
  const hub = await connect(options);
  const session = await findSession(hub, id);
  const sent = await hub.interrupt(session.id);
  if (options.json === true) printJson(sent);
  else
    process.stdout.write(`${session.id} is interrupted; tell it what to do (claude-hub send).\n`);
}
