import { newId, sandboxName } from "../../../src/core/id.ts";
import { NewSession } from "../../../src/core/session.ts";
import type { SessionInsert } from "../../../src/store/sessions/sessions.ts";

/** A session as it is stored first, of whichever kind unless `session` says. */
export function sessionInsert(
  createdAt: string,
  {
    session = {},
    ...more
  }: { session?: Partial<NewSession> } & Partial<Omit<SessionInsert, "session">> = {},
): SessionInsert {
  const id = more.id ?? newId();
  const project = { repository: "octo/greeter", requirements: "Look." };
  return {
    id,
    session: NewSession.parse({ type: "analysis", project, ...session }),
    sandboxName: sandboxName(id),
    orchestrationId: null,
    createdAt,
    ...more,
  };
}
