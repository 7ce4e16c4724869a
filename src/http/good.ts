import type { Logger } from "pino";
import type { Access } from "../core/access.ts";
import type { Id } from "../core/id.ts";
import type { ApiTokens } from "../store/api-tokens.ts";

/** What an answer that takes long needs to know of the token that it is given for. */
export interface Good {
  /** Aborted once the token is good no more. */
  signal: AbortSignal;
  stop(): void;
}

/** Looks again and again, so that what was begun with a token does not outlive it for long. */
export function whileGood(
  access: Access,
  options: { tokens: Pick<ApiTokens, "isGood">; everyMs: number; log: Logger },
): Good {
  const { tokenId } = access;
  const gone = new AbortController();
  const { signal } = gone;
  if (tokenId === null) return { signal, stop: () => undefined };
  async function look(id: Id): Promise<void> {
    try {
      if (!(await options.tokens.isGood(id))) gone.abort();
    } catch (error) {
      options.log.warn({ err: error }, "a token could not be looked at");
    }
  }
  const timer = setInterval(() => void look(tokenId), options.everyMs).unref();
  return { signal, stop: () => clearInterval(timer) };
}
