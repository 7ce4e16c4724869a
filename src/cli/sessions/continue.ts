import { z } from "zod";
import { NewSession } from "../../core/session.ts";
import type { ContinueOptions } from "../commands/continue.ts";
import { connect } from "../connection/connect.ts";
import { findSession } from "../connection/find-session.ts";
import { CommandError } from "../exit.ts";
import { showNew } from "./show-new.ts";

/** Makes a session that goes on where another one has ended, or will have. */
export async function continueSession(
  text: string,
  prompt: string,
  options: ContinueOptions,
): Promise<void> {
  const hub = await connect(options);
  const { id, type, project, options: terms } = await findSession(hub, text);
  const { repository, branch } = project;
  const parsed = NewSession.safeParse({
    type,
    project: { repository, requirements: prompt, ...(branch === undefined ? {} : { branch }) },
    continues: id,
    options: { ...terms, autoStart: true },
  });
  if (!parsed.success) throw new CommandError("usage", z.prettifyError(parsed.error));
  await showNew(hub, await hub.create(parsed.data), options);
}
