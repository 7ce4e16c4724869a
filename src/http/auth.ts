import { createHash, timingSafeEqual } from "node:crypto";
import type { Secret } from "../core/secret.ts";

/** Compares a shown token with the real one, in a time that says nothing about either. */
export function createTokenCheck(secret: Secret): (shown: string) => boolean {
  const expected = digest(secret.reveal());
  return (shown) => timingSafeEqual(digest(shown), expected);
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

/** The token of an Authorization header; of a Basic one, which browsers send, the password. */
export function shownToken(header: string | undefined, basic = false): string | null {
  const bearer = /^Bearer +(\S+) *$/i.exec(header ?? "")?.[1];
  if (bearer !== undefined) return bearer;
  const encoded = basic ? /^Basic +([\w+/=-]+) *$/i.exec(header ?? "")?.[1] : undefined;
  if (encoded === undefined) return null;
  const pair = Buffer.from(encoded, "base64").toString("utf8");
  return pair.slice(pair.indexOf(":") + 1);
}
