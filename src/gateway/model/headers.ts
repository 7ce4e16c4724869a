import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http";
import type { Secret } from "../../core/secret.ts";

/** Meant for the next hop alone. Source: RFC 9110, section 7.6.1. */
const HOP_BY_HOP = [
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
];

/** What a sandbox may not say for itself, and what we say instead of it. */
const REPLACED = [
  "host",
  "authorization",
  "x-api-key",
  "cookie",
  "accept-encoding",
  "content-length",
  "expect",
  "forwarded",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-proto",
];

/** Headers for the model's API: the client's own, without its credentials, with the hub's key. */
export function upstreamHeaders(
  client: IncomingHttpHeaders,
  apiKey: Secret,
  bodyBytes: number,
): OutgoingHttpHeaders {
  return {
    ...without(client, [...HOP_BY_HOP, ...REPLACED]),
    "x-api-key": apiKey.reveal(),
    // Usage is read from the answer as it passes.
    "accept-encoding": "identity",
    "content-length": bodyBytes,
  };
}

/** Headers for the client: the API's own, without what was for us. */
export function clientHeaders(upstream: IncomingHttpHeaders): OutgoingHttpHeaders {
  return without(upstream, [...HOP_BY_HOP, "set-cookie"]);
}

function without(headers: IncomingHttpHeaders, names: readonly string[]): OutgoingHttpHeaders {
  const named = (headers.connection ?? "").split(",").map((name) => name.trim().toLowerCase());
  const dropped = new Set([...names, ...named]);
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !dropped.has(name)));
}
