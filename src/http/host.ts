import { isIPv6 } from "node:net";
import { hostNotAllowed } from "../core/errors.ts";

const LOOPBACK = ["localhost", "127.0.0.1", "[::1]"];

/**
 * Refuses requests for other names than the hub's own. A page from elsewhere whose name was made to point here (DNS
 * rebinding) sends its own name.
 */
export function createHostCheck(names: readonly string[]): (host: string | undefined) => void {
  const allowed = new Set(
    [...LOOPBACK, ...names.map(asInHeader)].map((name) => name.toLowerCase()),
  );
  return (host) => {
    const name = (host ?? "").toLowerCase().replace(/:\d*$/, "");
    if (!allowed.has(name)) throw hostNotAllowed(host ?? "");
  };
}

function asInHeader(name: string): string {
  return isIPv6(name) ? `[${name}]` : name;
}
