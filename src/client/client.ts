import { hc } from "hono/client";
import type { Api } from "../http/api/api.ts";

/** The hub's own API, typed by its routes. */
export function createClient(options: { url: string; token: string; fetch?: typeof fetch }) {
  return hc<Api>(`${options.url}/api/v1`, {
    headers: { authorization: `Bearer ${options.token}` },
    ...(options.fetch === undefined ? {} : { fetch: options.fetch }),
  });
}
