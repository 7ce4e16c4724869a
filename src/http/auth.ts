import { createHash, timingSafeEqual } from "node:crypto";
import { WHOLE_ACCESS } from "../core/access.ts";
import type { Access } from "../core/access.ts";
import { unauthorized } from "../core/errors.ts";
import type { Secret } from "../core/secret.ts";
import type { ApiTokens } from "../store/api-tokens.ts";
import { clientAddress } from "./address.ts";
import type { HttpContext } from "./deps.ts";
import { createRate } from "./rates.ts";

/** Who may pass. One for all paths, so that a guesser has no second count. */
export interface Guard {
  /** Passes who shows the secret as a bearer; throws `unauthorized`, or `rate_limited` after too many failures. */
  bearer(c: HttpContext): Promise<void>;
  /** Passes who shows the secret or one of the tokens as a bearer; says what that is good for. */
  access(c: HttpContext): Promise<Access>;
  /**
   * Passes who shows it as a Basic password as well. Only for pages that change nothing: a browser sends what it
   * remembers on behalf of any page (cross-site request forgery).
   */
  browser(c: HttpContext): Promise<void>;
  /** Passes when `isRight` says so; for what is proved otherwise than by the token. */
  proof(c: HttpContext, isRight: () => boolean | Promise<boolean>): Promise<void>;
}

export function createGuard(options: {
  secret: Secret;
  tokens: Pick<ApiTokens, "find">;
  /** Failures of one address in a minute, before nothing that it shows is looked at any more. */
  failures: number;
  trustProxy: number;
}): Guard {
  const failures = createRate(options.failures, "failed sign-ins");
  const isRight = createTokenCheck(options.secret);

  async function proof(c: HttpContext, check: () => boolean | Promise<boolean>): Promise<void> {
    const address = clientAddress(c, options.trustProxy);
    // First: who may go on guessing finds the secret in the end, whatever the wrong guesses are answered.
    await failures.check(address);
    if (await check()) return;
    await failures.spend(address);
    throw unauthorized();
  }

  const shows = (c: HttpContext, basic: boolean) => () => {
    const token = shownToken(c.req.header("authorization"), basic);
    return token !== null && isRight(token);
  };
  return {
    bearer: (c) => proof(c, shows(c, false)),
    async access(c) {
      const shown = shownToken(c.req.header("authorization")) ?? "";
      let access: Access | null = null;
      await proof(c, async () => {
        access = isRight(shown) ? WHOLE_ACCESS : await options.tokens.find(shown);
        return access !== null;
      });
      if (access === null) throw unauthorized();
      return access;
    },
    browser: (c) => proof(c, shows(c, true)),
    proof,
  };
}

/** Compares a shown token with the real one, in a time that says nothing about either. */
function createTokenCheck(secret: Secret): (shown: string) => boolean {
  const expected = digest(secret.reveal());
  return (shown) => timingSafeEqual(digest(shown), expected);
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

/** The token of an Authorization header; of a Basic one, which browsers send, the password. */
function shownToken(header: string | undefined, basic = false): string | null {
  const bearer = /^Bearer +(\S+) *$/i.exec(header ?? "")?.[1];
  if (bearer !== undefined) return bearer;
  const encoded = basic ? /^Basic +([\w+/=-]+) *$/i.exec(header ?? "")?.[1] : undefined;
  if (encoded === undefined) return null;
  const pair = Buffer.from(encoded, "base64").toString("utf8");
  const colon = pair.indexOf(":");
  return colon === -1 ? null : pair.slice(colon + 1);
}
