import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { isIP } from "node:net";
import { connect as connectTls } from "node:tls";
import { connectTo } from "../gateway/egress/connect.ts";
import type { AddressCheck } from "../gateway/egress/addresses.ts";
import type { Lookup } from "../gateway/egress/resolver.ts";
import type { Answer } from "./retry.ts";

export interface Posting {
  url: string;
  headers: Record<string, string>;
  body: string;
  /** The operator has named it: it may be anywhere but at the hub itself. */
  listed: boolean;
}

/** Sends one notice. Never rejects: what went wrong is an answer. */
export type Post = (posting: Posting, signal: AbortSignal) => Promise<Answer>;

export function createPost(options: {
  lookup: Lookup;
  check: AddressCheck;
  timeoutMs: number;
}): Post {
  const { lookup, check, timeoutMs } = options;

  /** The addresses that may be sent to; what is connected to later is what was looked at here. */
  async function addressesOf({ hostname, port, protocol }: URL, listed: boolean) {
    const host = hostname.replace(/^\[(.*)\]$/, "$1");
    const number = Number(port || (protocol === "https:" ? 443 : 80));
    const found = isIP(host) === 0 ? await lookup(host) : [host];
    const reasons = found.map((address) => check(address, number, listed));
    const open = found.filter((_, index) => reasons[index] === null);
    return { host, port: number, open, reason: reasons.find((reason) => reason !== null) ?? null };
  }

  return async (posting, signal) => {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
    try {
      const url = new URL(posting.url);
      const place = await addressesOf(url, posting.listed);
      // One address that is not public makes a name suspicious, whatever its others are.
      if (place.reason !== null || place.open.length === 0)
        return { kind: "refused", reason: `${place.host} ${place.reason ?? "has no address"}` };
      const untilMs = Date.now() + timeoutMs;
      const socket = await connectTo(place.open, place.port, { untilMs, signal: limit });
      return await exchange(url, posting, limit, socket);
    } catch (error) {
      if (limit.aborted && !signal.aborted)
        return { kind: "unreachable", reason: `no answer within ${timeoutMs} ms` };
      const reason = error instanceof Error ? error.message : String(error);
      return { kind: "unreachable", reason: reason.slice(0, 200) };
    }
  };
}

/** Only the head of the answer counts; its body is not read. */
async function exchange(
  url: URL,
  { headers, body }: Posting,
  signal: AbortSignal,
  socket: Awaited<ReturnType<typeof connectTo>>,
): Promise<Answer> {
  const isSecure = url.protocol === "https:";
  const request = (isSecure ? httpsRequest : httpRequest)(url, {
    method: "POST",
    headers: {
      ...headers,
      "content-type": "application/json",
      "content-length": Buffer.byteLength(body),
      "user-agent": "claude-hub",
    },
    signal,
    // Without an agent this is asked for the connection; an agent would look the name up once more.
    createConnection: () => (isSecure ? connectTls({ socket, ...nameOf(url) }) : socket),
  });
  return await new Promise<Answer>((resolve, reject) => {
    request.on("error", reject);
    request.on("response", (response) => {
      const { statusCode: status = 0 } = response;
      const seconds = Number(response.headers["retry-after"]);
      response.destroy();
      resolve({
        kind: "answered",
        status,
        retryAfterMs: Number.isFinite(seconds) && seconds > 0 ? seconds * 1_000 : null,
      });
    });
    request.end(body);
  }).finally(() => socket.destroy());
}

/** What its certificate has to be for; addresses are not sent as names (RFC 6066, section 3). */
function nameOf({ hostname }: URL): { servername?: string; host: string } {
  const host = hostname.replace(/^\[(.*)\]$/, "$1");
  return isIP(host) === 0 ? { servername: host, host } : { host };
}
