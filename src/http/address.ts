import { isIPv6 } from "node:net";
import type { HttpContext } from "./deps.ts";

/**
 * The client's address. Of `X-Forwarded-For` as many entries count, from the right, as there are proxies in front;
 * what stands left of them is whatever the client wrote.
 */
export function clientAddress(c: HttpContext, proxies: number): string {
  const own = c.env.incoming.socket.remoteAddress ?? "unknown";
  if (proxies === 0) return network(own);
  const forwarded = (c.req.header("x-forwarded-for") ?? "")
    .split(",")
    .map((entry) => entry.trim())
    .filter((entry) => entry !== "");
  return network(forwarded.at(-proxies)?.slice(0, 100) ?? own);
}

/** One IPv6 client has a whole /64 to send from; an IPv4 one may show itself in either notation. */
export function network(address: string): string {
  const v4 = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (v4 !== undefined) return v4;
  if (!isIPv6(address)) return address;
  const [head = "", tail] = (address.split("%")[0] ?? "").toLowerCase().split("::");
  const left = head === "" ? [] : head.split(":");
  const right = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = Array.from({ length: Math.max(0, 8 - left.length - right.length) }, () => "0");
  const groups = tail === undefined ? left : [...left, ...zeros, ...right];
  return groups
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ""))
    .join(":");
}
