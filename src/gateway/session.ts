import type { IncomingMessage, ServerResponse } from "node:http";
import type { Id } from "../core/id.ts";
import type { Policy } from "../core/policy.ts";
import type { Repository } from "../core/repository.ts";

/** What the doors know of the session whose sandbox is asking. */
export interface GatewaySession {
  sessionId: Id;
  repository: Repository;
  policy: Policy;
  /** The branch that the hub made for this session; null for types that do not push. */
  workBranch: string | null;
}

/** `ended`: the token was good once, but its session is over. `null`: nobody's token. */
export type Authentication = GatewaySession | "ended" | null;

/** One door: answers every request below its path, or throws before it has answered. */
export type Door = (
  req: IncomingMessage,
  res: ServerResponse,
  session: GatewaySession,
) => Promise<void>;
