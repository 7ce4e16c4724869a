import type { Duplex } from "node:stream";

interface End {
  socket: Duplex;
  /** What came already. */
  head: Buffer;
}

/** Joins two connections, each at its own pace; when one side ends, the other may go on. */
export function join(one: End, other: End): void {
  flow(one, other.socket);
  flow(other, one.socket);
}

function flow({ socket, head }: End, to: Duplex): void {
  if (head.length > 0) socket.unshift(head);
  socket.on("error", () => to.destroy());
  socket.once("close", () => {
    // One that was cut off has said no end.
    if (!socket.readableEnded) to.destroy();
  });
  socket.pipe(to);
}
