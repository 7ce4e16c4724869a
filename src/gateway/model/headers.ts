import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http";
import { HOP_BY_HOP } from "../../core/hop-by-hop.ts";

/** What a sandbox may not say for itself, and what we say instead of it. */
const REPLACED = [
  "host",
  "authorization",
  "x-api-key",
  "cookie",
  "accept-encoding",
  "content-encoding",
  "content-length",
  "content-type",
  "expect",
  "forwarded",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-proto",
];

/** All that a cloud gets of the client's: others of its headers steer whose account pays, and how. */
const CHOSEN = ["accept", "anthropic-beta", "anthropic-version", "user-agent"];

/** The client's headers, without its credentials. */
export function passedHeaders(client: IncomingHttpHeaders, bodyBytes: number): OutgoingHttpHeaders {
  return { ...without(client, [...HOP_BY_HOP, ...REPLACED]), ...ownHeaders(bodyBytes) };
}

/** The few of the client's headers that may matter. */
export function chosenHeaders(client: IncomingHttpHeaders, bodyBytes: number): OutgoingHttpHeaders {
  const chosen = CHOSEN.filter((name) => client[name] !== undefined);
  return {
    ...Object.fromEntries(chosen.map((name) => [name, client[name]])),
    ...ownHeaders(bodyBytes),
  };
}

function ownHeaders(bodyBytes: number): OutgoingHttpHeaders {
  return {
    "content-type": "application/json",
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
