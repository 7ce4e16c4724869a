import { once } from "node:events";
import { connect, createServer } from "node:net";
import type { ListenOptions, NetConnectOpts } from "node:net";

/** What a careless host has open; only ever opened in a network namespace of the tests. */
export const HOST_LISTENERS = {
  allAddresses: { host: "0.0.0.0", port: 4_001 },
  loopback: { host: "127.0.0.1", port: 4_002 },
  abstractSocket: { path: "\0claude-hub-of-the-tests" },
} as const;

/** Opens them all, and has seen that they answer where they are open: else being out of reach would mean nothing. */
export async function openHostListeners(): Promise<AsyncDisposable> {
  await using parts = new AsyncDisposableStack();
  for (const address of Object.values(HOST_LISTENERS)) {
    const options: ListenOptions & NetConnectOpts = { ...address };
    const server = createServer((socket) => socket.on("error", () => undefined).end("REACHED"));
    server.listen(options);
    await once(server, "listening");
    parts.defer(() => void server.close());
    const socket = connect(options).resume();
    await once(socket, "connect");
    await once(socket, "close");
  }
  const all = parts.move();
  return { [Symbol.asyncDispose]: () => all.disposeAsync() };
}
