import { request } from "node:http";
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import type { Hub } from "./forwarder.ts";
import { connectPatiently } from "./onward.ts";

const ATTEMPTS = 4;
const PAUSE_MS = 100;

/** Asks the gateway for a tunnel, and joins it with the client's connection; a refusal is passed on as it is. */
export async function tunnel(
  { socket, token }: Hub,
  req: IncomingMessage,
  client: Socket,
): Promise<void> {
  const gone = new AbortController();
  client.once("close", () => gone.abort());
  const target = req.url ?? "";
  const ask = async () => {
    const connection = await connectPatiently(socket, gone.signal);
    gone.signal.addEventListener("abort", () => connection.destroy(), { once: true });
    const onward = request({
      createConnection: () => connection,
      method: "CONNECT",
      path: target,
      headers: { host: req.headers.host ?? target, "proxy-authorization": `Bearer ${token}` },
    });
    return { connection, ...(await answered(onward)) };
  };
  // The gateway cuts connections that are slow to show a token when there are too many: nothing has happened by then.
  const askPatiently = async () => {
    for (let attempt = 1; ; attempt += 1)
      try {
        return await ask();
      } catch (error) {
        if (gone.signal.aborted || attempt === ATTEMPTS) throw error;
        await pause(PAUSE_MS * attempt);
      }
  };
  try {
    const { connection, answer, head } = await askPatiently();
    client.write(headOf(answer));
    if (head.length > 0) connection.unshift(head);
    // What one side has ended, the other may still answer.
    connection.on("error", () => client.destroy()).once("close", () => client.end());
    client.pipe(connection);
    connection.pipe(client);
  } catch {
    client.end(
      "HTTP/1.1 502 Bad Gateway\r\nconnection: close\r\n\r\nthe hub could not be reached\n",
    );
  }
}

function answered(
  onward: ReturnType<typeof request>,
): Promise<{ answer: IncomingMessage; head: Buffer }> {
  return new Promise((resolve, reject) => {
    onward.on("error", reject);
    onward.once("connect", (answer, _socket, head) => resolve({ answer, head }));
    // An answer that is none to this question.
    onward.once("response", () => onward.destroy(new Error("no answer for a tunnel")));
    onward.end();
  });
}

function headOf({ statusCode = 502, statusMessage = "", rawHeaders }: IncomingMessage): string {
  const headers = rawHeaders.map((text, index) => (index % 2 === 0 ? `${text}: ` : `${text}\r\n`));
  return `HTTP/1.1 ${statusCode} ${statusMessage}\r\n${headers.join("")}\r\n`;
}
