import type { HttpContext } from "./deps.ts";

/**
 * The client's address. Of `X-Forwarded-For` as many entries count, from the right, as there are proxies in front;
 * what stands left of them is whatever the client wrote.
 */
export function clientAddress(c: HttpContext, proxies: number): string {
  const own = c.env.incoming.socket.remoteAddress ?? "unknown";
  if (proxies === 0) return own;
  const forwarded = (c.req.header("x-forwarded-for") ?? "")
    .split(",")
    .map((entry) => entry.trim())
    .filter((entry) => entry !== "");
  return forwarded.at(-proxies)?.slice(0, 100) ?? own;
}
