import { request } from "node:http";
import type { Socket } from "node:net";
import { text } from "node:stream/consumers";
import { setTimeout as pause } from "node:timers/promises";

const ATTEMPTS = 50;
const PAUSE_MS = 100;

interface AttachOptions {
  timeoutMs: number;
  isPodman: boolean;
}

/**
 * A container's standard input. By a request of our own: the client library sends its options as a body, and Podman
 * takes every byte after the header for input.
 *
 * @throws Error with `statusCode` or `code`, like the library's.
 */
export async function attachInput(
  socketPath: string,
  containerId: string,
  options: AttachOptions,
): Promise<Socket> {
  for (let attempt = 1; ; attempt += 1)
    try {
      return await attach(socketPath, containerId, options);
    } catch (error) {
      // Podman has not tidied up yet after what ran in it; soon it takes input again.
      const isTidied = !(error instanceof Error && error.message.includes("state improper"));
      if (isTidied || !options.isPodman || attempt === ATTEMPTS) throw error;
      await pause(PAUSE_MS);
    }
}

async function attach(
  socketPath: string,
  containerId: string,
  { timeoutMs, isPodman }: AttachOptions,
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
