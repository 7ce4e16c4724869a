import { createPrivateKey, sign } from "node:crypto";
import type { Octokit } from "octokit";
import { z } from "zod";
import type { Secret } from "../../core/secret.ts";
import type { ForgeTime } from "./forge-time.ts";

/** GitHub takes at most ten minutes; it begins a little earlier, for clocks that tick differently. */
const LIFE_SECONDS = 540;
const EARLIER_SECONDS = 60;
/** A refusal that has moved the clock by so much was about the time. */
const MOVED_MS = 1_000;
const Refused = z.object({ status: z.literal(401) });

/** Has a client ask as the App itself. Whom GitHub has not told the time yet is refused once, and asks again. */
export function asApp(
  octokit: Octokit,
  { appId, privateKey }: { appId: number; privateKey: Secret },
  time: ForgeTime,
): Octokit {
  // In an environment the lines of the key may be one.
  const key = createPrivateKey(privateKey.reveal().replaceAll(String.raw`\n`, "\n"));
  const bearer = () => `Bearer ${jwt({ appId, key, now: time.now() })}`;
  octokit.hook.wrap("request", async (request, options) => {
    const ask = async () =>
      await request({ ...options, headers: { ...options.headers, authorization: bearer() } });
    const aheadMs = time.now() - Date.now();
    try {
      return await ask();
    } catch (error) {
      const isMoved = Math.abs(time.now() - Date.now() - aheadMs) > MOVED_MS;
      if (!isMoved || !Refused.safeParse(error).success) throw error;
      return await ask();
    }
  });
  return octokit;
}

function jwt({
  appId,
  key,
  now,
}: {
  appId: number;
  key: Parameters<typeof sign>[2];
  now: number;
}): string {
  const iat = Math.floor(now / 1_000) - EARLIER_SECONDS;
  const parts = [
    { alg: "RS256", typ: "JWT" },
    { iat, exp: iat + EARLIER_SECONDS + LIFE_SECONDS, iss: String(appId) },
  ].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"));
  const signed = parts.join(".");
  return `${signed}.${sign("sha256", Buffer.from(signed), key).toString("base64url")}`;
}
