import type { Scope } from "../../core/access.ts";

/** What is the operator's: tokens, deliveries and notices are of all repositories, whoever asks. */
const ADMIN = /^\/(?:tokens|deliveries|notices)(?:\/|$)/;
const READING = ["GET", "HEAD"];

/**
 * The scope that a request below /api/v1 needs. By method and path, so that no route can be without one.
 *
 * @param path Below /api/v1, as the router sees it.
 */
export function scopeOf(method: string, path: string): Scope {
  if (ADMIN.test(path)) return "admin";
  return READING.includes(method.toUpperCase()) ? "read" : "write";
}
