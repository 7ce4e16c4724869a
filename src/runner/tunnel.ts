import { request } from "node:http";
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { Hub } from "./forwarder.ts";
import { connectPatiently } from "./onward.ts";

/** Asks the gateway for a tunnel, and joins it with the client's connection; a refusal is passed on as it is. */
export async function tunnel(
  { socket, token }: Hub,
  req: IncomingMessage,
  client: Socket,
): Promise<void> {
  const gone = new AbortController();
  client.once("close", () => gone.abort());
  const target = req.url ?? "";
  try {
    const connection = await connectPatiently(socket, gone.signal);
    gone.signal.addEventListener("abort", () => connection.destroy(), { once: true });
    const onward = request({
      createConnection: () => connection,
      method: "CONNECT",
      path: target,
      headers: { host: req.headers.host ?? target, "proxy-authorization": `Bearer ${token}` },
    });
    const { answer, head } = await answered(onward);
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
