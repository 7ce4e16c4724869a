import { createHmac } from "node:crypto";
import type { Secret } from "../core/secret.ts";

/**
 * The headers that prove who sends a notice, and when.
 * Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 *
 * @param keys The one that receivers should have by now comes first; what it replaces signs as well.
 */
export function signatureHeaders(
  notice: { id: string; body: string },
  at: Date,
  keys: readonly Secret[],
): Record<string, string> {
  const seconds = Math.floor(at.getTime() / 1_000);
  const signed = `${notice.id}.${seconds}.${notice.body}`;
  const signatures = keys.map((key) => {
    const bytes = Buffer.from(key.reveal().slice("whsec_".length), "base64");
    return `v1,${createHmac("sha256", bytes).update(signed).digest("base64")}`;
  });
  return {
    "webhook-id": notice.id,
    "webhook-timestamp": String(seconds),
    "webhook-signature": signatures.join(" "),
  };
}
