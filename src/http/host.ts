import { isIPv6 } from "node:net";
import { forbidden, hostNotAllowed } from "../core/errors.ts";

const LOOPBACK = ["localhost", "127.0.0.1", "[::1]"];

/**
 * Refuses requests for other names than the hub's own. A page from elsewhere whose name was made to point here (DNS
 * rebinding) sends its own name.
 */
export function createHostCheck(names: readonly string[]): (host: string | undefined) => void {
  const isAllowed = allowedNames(names);
  return (host) => {
    if (!isAllowed((host ?? "").replace(/:\d*$/, ""))) throw hostNotAllowed(host ?? "");
  };
}

/** Refuses requests of pages from elsewhere. Programs send no origin; browsers do. */
export function createOriginCheck(names: readonly string[]): (origin: string | undefined) => void {
  const isAllowed = allowedNames(names);
  return (origin) => {
    if (origin === undefined) return;
    const name = /^https?:\/\/([^/]+?)(?::\d*)?$/i.exec(origin)?.[1];
    if (name === undefined || !isAllowed(name)) throw forbidden("Origin not allowed");
  };
}

function allowedNames(names: readonly string[]): (name: string) => boolean {
  const allowed = new Set(
    [...LOOPBACK, ...names.map(asInHeader)].map((name) => name.toLowerCase()),
  );
  return (name) => allowed.has(name.toLowerCase());
}

function asInHeader(name: string): string {
  return isIPv6(name) ? `[${name}]` : name;
}
