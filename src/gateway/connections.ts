import type { Socket } from "node:net";
import type { Id } from "../core/id.ts";

/** Who holds how many of the gateway's connections: no sandbox may take them all. */
export interface Connections {
  add(socket: Socket): void;
  /** A request on this connection has shown a session's token. False: the session holds too many already. */
  claim(socket: Socket, sessionId: Id): boolean;
  /** Cuts all, tunnels too. */
  destroyAll(): void;
}

/**
 * @param maxEach Of one session.
 * @param maxUnnamed That have not shown a good token yet. Beyond it the oldest is cut: an honest client shows its token at once,
 *   so a flood of silent connections only pushes itself out.
 */
export function createConnections({
  maxEach,
  maxUnnamed,
}: {
  maxEach: number;
  maxUnnamed: number;
}): Connections {
  const owners = new Map<Socket, Id>();
  const counts = new Map<Id, number>();
  const unnamed = new Set<Socket>();

  function change(sessionId: Id, by: number): void {
    const count = (counts.get(sessionId) ?? 0) + by;
    if (count === 0) counts.delete(sessionId);
    else counts.set(sessionId, count);
  }

  function release(socket: Socket): void {
    unnamed.delete(socket);
    const owner = owners.get(socket);
    if (owner === undefined) return;
    owners.delete(socket);
    change(owner, -1);
  }

  return {
    add(socket) {
      unnamed.add(socket);
      socket.once("close", () => release(socket));
      if (unnamed.size <= maxUnnamed) return;
      const [oldest] = unnamed;
      oldest?.destroy();
    },
    claim(socket, sessionId) {
      if (owners.get(socket) === sessionId) return true;
      if (socket.destroyed) return false;
      if ((counts.get(sessionId) ?? 0) >= maxEach) return false;
      release(socket);
      owners.set(socket, sessionId);
      change(sessionId, 1);
      return true;
    },
    destroyAll() {
      for (const socket of [...owners.keys(), ...unnamed]) socket.destroy();
    },
  };
}
