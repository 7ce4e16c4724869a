import { createHash } from "node:crypto";

/** By which is known whether a comment says something already. */
export function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("base64url").slice(0, 22);
}
