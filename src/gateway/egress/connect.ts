import { once } from "node:events";
import { connect, isIP } from "node:net";
import type { Socket } from "node:net";

/**
 * Connects to the first of these addresses that answers. They are what has been checked: no name is looked up here.
 *
 * @param untilMs For all of them together; each gets a fair share of what is left.
 */
export async function connectTo(
  addresses: readonly string[],
  port: number,
  { untilMs, signal }: { untilMs: number; signal: AbortSignal },
): Promise<Socket> {
  let cause: unknown;
  for (const [index, host] of addresses.entries()) {
    const shareMs = Math.floor((untilMs - Date.now()) / (addresses.length - index));
    if (isIP(host) === 0 || shareMs <= 0) break;
    const socket = connect({ host, port, allowHalfOpen: true, autoSelectFamily: false });
    // Whoever uses it later listens for its end.
    socket.on("error", () => undefined);
    try {
      const limit = AbortSignal.any([signal, AbortSignal.timeout(shareMs)]);
      await once(socket, "connect", { signal: limit });
      return socket.setNoDelay();
    } catch (error) {
      socket.destroy();
      signal.throwIfAborted();
      cause = error;
    }
  }
  throw new Error("no address answered", { cause });
}
