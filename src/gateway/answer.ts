import { STATUS_CODES } from "node:http";
import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { HubError } from "../core/errors.ts";

/** An answer that the gateway gives by itself. */
export interface Refusal {
  status: number;
  body: { error: string; code: string; reference?: string };
  headers?: Record<string, string>;
}

export function refusalOf(error: HubError): Refusal {
  return {
    status: error.status,
    body: { error: error.message, code: error.code },
    ...(error.retryAfterSeconds === undefined
      ? {}
      : { headers: { "retry-after": String(error.retryAfterSeconds) } }),
  };
}

export function answer(res: ServerResponse, { status, body, headers = {} }: Refusal): void {
  if (res.headersSent) {
    // Half an answer is out: cutting the connection is the only way left to say that it is not whole.
    res.destroy();
    return;
  }
  // Closing while the client still sends could lose it the answer.
  if (!res.req.complete) res.shouldKeepAlive = true;
  res.writeHead(status, { ...headers, ...JSON_HEADERS });
  res.end(JSON.stringify(body));
}

/** The same on a connection that was to become a tunnel, which is then closed. */
export function answerTunnel(socket: Socket, { status, body, headers = {} }: Refusal): void {
  const text = JSON.stringify(body);
  const all = { ...headers, ...JSON_HEADERS, "content-length": Buffer.byteLength(text) };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  const head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\n${lines.join("")}`;
  // What the client sends meanwhile is nobody's; closing before it has the answer could lose that.
  socket.resume().end(`${head}connection: close\r\n\r\n${text}`);
  const timer = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once("close", () => clearTimeout(timer));
}

export const LINGER_MS = 2_000;
const JSON_HEADERS = { "content-type": "application/json", "cache-control": "no-store" };
