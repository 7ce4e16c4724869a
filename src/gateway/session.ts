import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Id } from "../core/id.ts";
import type { Policy } from "../core/policy.ts";
import type { Repository } from "../core/repository.ts";

/** What the doors know of the session whose sandbox is asking. */
export interface GatewaySession {
  sessionId: Id;
  repository: Repository;
  /** What it was called before; the sandbox may know it by that. */
  formerNames?: readonly string[];
  policy: Policy;
  /** The branch that the hub made for this session; null for types that do not push. */
  workBranch: string | null;
  /** What it had spent when this was read. */
  spent: { tokens: number; costUsd: number };
  /** Names of what it shares a budget with others in. */
  sharesWith?: readonly string[];
  /** Before it was read from the store, by `performance.now()`. */
  readAt: number;
}

/** `ended`: the token was good once, but its session is over. `null`: nobody's token. */
export type Authentication = GatewaySession | "ended" | null;

/** One door: answers every request below its path, or throws before it has answered. */
export type Door = (
  req: IncomingMessage,
  res: ServerResponse,
  session: GatewaySession,
) => Promise<void>;

/** The door to other hosts. Its requests name their target in full and carry the token as `Proxy-Authorization`. */
export interface ProxyDoor {
  /** Resolves when the tunnel is over; throws before it has answered. What follows the head stands in the socket. */
  connect(req: IncomingMessage, socket: Socket, session: GatewaySession): Promise<void>;
  request: Door;
}
