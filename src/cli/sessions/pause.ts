import type { PauseOptions } from "../commands/pause.ts";
import { connect } from "../connection/connect.ts";
import { findSession } from "../connection/find-session.ts";
import { printJson } from "../screen/json.ts";

export async function pauseSession(id: string, options: PauseOptions): Promise<void> {
  const hub = await connect(options);
  const session = await hub.pause((await findSession(hub, id)).id);
  if (options.json === true) printJson(session);
  else process.stdout.write(`${session.id} is paused; claude-hub resume has it go on.\n`);
}

export async function resumeSession(id: string, options: PauseOptions): Promise<void> {
  const hub = await connect(options);
  const session = await hub.resume((await findSession(hub, id)).id);
  if (options.json === true) printJson(session);
  else process.stdout.write(`${session.id} is at work.\n`);
}
