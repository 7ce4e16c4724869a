import { request } from "node:http";
import type { Socket } from "node:net";
import { text } from "node:stream/consumers";

/**
 * A container's standard input. By a request of our own: the client library sends its options as a body, and Podman
 * takes every byte after the header for input.
 *
 * @throws Error with `statusCode` or `code`, like the library's.
 */
export async function attachInput(
  socketPath: string,
  containerId: string,
  { timeoutMs, isPodman }: { timeoutMs: number; isPodman: boolean },
): Promise<Socket> {
  // Podman holds back the output of a container to which somebody is attached who does not read it.
  const output = isPodman ? "&stdout=1&stderr=1" : "";
  const asked = request({
    socketPath,
    method: "POST",
    path: `/containers/${encodeURIComponent(containerId)}/attach?stream=1&stdin=1${output}`,
    headers: { host: "engine", connection: "Upgrade", upgrade: "tcp" },
    timeout: timeoutMs,
  });
  return await new Promise((resolve, reject) => {
    asked.once("upgrade", (_answer, socket) => resolve(socket.setTimeout(0)));
    asked.once("response", (answer) => {
      const { statusCode } = answer;
      text(answer)
        .then((said) => Object.assign(new Error(said.trim()), { statusCode }))
        .then(reject, reject);
    });
    asked.once("timeout", () => asked.destroy());
    asked.once("error", reject);
    asked.end();
  });
}
