import { z } from "zod";
import { AddressRange } from "../core/egress.ts";
import { NOTICE_SECRET } from "../core/notice.ts";
import { from, listOf, secret, WEB, whole } from "./setting.ts";
import type { Source } from "./source.ts";

const NOTICE_SECRET_EXPECTED = "`whsec_` and 24 to 64 bytes in base64";

/** Whom the hub tells of the ends of sessions. */
export const NOTIFY_SETTINGS = {
  notifyUrls: from(
    "CLAUDE_HUB_NOTIFY_URLS",
    "Addresses that are told of the end of every session, besides a session's own `notifyUrl`. See `docs/notices.md`.",
    listOf(z.url({ protocol: WEB }).max(2_000)),
    { expected: "a list with commas of http or https addresses", fallback: "" },
  ),
  notifyAddresses: from(
    "CLAUDE_HUB_NOTIFY_ADDRESSES",
    "Addresses that a session's `notifyUrl` may lead to although they are not public; never the hub's own ports.",
    listOf(AddressRange),
    {
      expected: "a list with commas of addresses and ranges (10.1.2.3, 10.1.0.0/16)",
      fallback: "",
    },
  ),
  notifySecret: secret("CLAUDE_HUB_NOTIFY_SECRET", "Key that notices are signed with.", {
    pattern: NOTICE_SECRET,
    expected: NOTICE_SECRET_EXPECTED,
    fallbackText: "made at the first start, in `notify-secret` in the data directory",
  }),
  notifyPreviousSecret: secret(
    "CLAUDE_HUB_NOTIFY_SECRET_PREVIOUS",
    "The key before it, which signs as well until all receivers have the new one.",
    { pattern: NOTICE_SECRET, expected: NOTICE_SECRET_EXPECTED },
  ),
  notifyTimeoutMs: whole(
    "CLAUDE_HUB_NOTIFY_TIMEOUT_MS",
    "How long a receiver may take for its answer (ms).",
    { min: 100, max: 120_000, fallback: "15000" },
  ),
};

export function readNotify(source: Source) {
  return {
    urls: source.required(NOTIFY_SETTINGS.notifyUrls),
    addresses: source.required(NOTIFY_SETTINGS.notifyAddresses),
    timeoutMs: source.required(NOTIFY_SETTINGS.notifyTimeoutMs),
  };
}
