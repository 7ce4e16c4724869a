import type { Logger } from "pino";
import type { Clock } from "../../core/clock.ts";
import type { Id } from "../../core/id.ts";
import type { Repository } from "../../core/repository.ts";
import type { Secret } from "../../core/secret.ts";
import type { LeasePush, Pusher } from "./credentials.ts";

export interface IssuedToken {
  token: Secret;
  /** Null: it does not end by itself. */
  expiresAt: Date | null;
}

/**
 * Tokens with which the hub pushes, one for each session that has pushed. They are held in memory alone, and taken back
 * when the session has ended; what a crash leaves behind ends within the hour, as the forge has made it.
 */
export interface SessionTokens extends AsyncDisposable {
  lease: LeasePush;
}

interface Entry {
  session: Pusher;
  issued: Promise<IssuedToken | null>;
  users: number;
}

/** One with less than this left is not begun with: a push may take as long. */
const RENEW_MS = 600_000;
const LOOK_MS = 5_000;
/** For all that are still held when the hub stops. */
const CLOSE_MS = 5_000;

export function createSessionTokens(options: {
  /** Null: there is none for this repository. */
  issue(repository: Repository, more: { workflows: boolean }): Promise<IssuedToken | null>;
  revoke(token: Secret): Promise<void>;
  hasEnded(sessionId: Id): Promise<boolean>;
  clock: Clock;
  log: Logger;
  lookMs?: number;
}): SessionTokens {
  const { clock, log } = options;
  const entries = new Map<Id, Entry>();
  let looking: Promise<void> | null = null;
  const timer = setInterval(() => {
    looking ??= look().finally(() => {
      looking = null;
    });
  }, options.lookMs ?? LOOK_MS).unref();

  function entryFor(session: Pusher): Entry {
    const { repository, policy } = session;
    const issued = options.issue(repository, { workflows: policy.pushWorkflows });
    return { session, issued, users: 0 };
  }

  /** A token that is good for a while; one that ends soon, or was refused, is replaced. */
  async function current(session: Pusher, refused: Secret | null): Promise<Entry> {
    const known = entries.get(session.sessionId);
    if (known !== undefined) {
      const issued = await known.issued.catch(() => null);
      const isGood =
        issued !== null &&
        issued.token.reveal() !== refused?.reveal() &&
        (issued.expiresAt?.getTime() ?? Infinity) - clock.now().getTime() >= RENEW_MS;
      if (isGood) return known;
    }
    // Somebody else may have replaced it while that was found out.
    const newer = entries.get(session.sessionId);
    if (newer !== undefined && newer !== known) return newer;
    const entry = entryFor(session);
    entries.set(session.sessionId, entry);
    return entry;
  }

  async function look(): Promise<void> {
    for (const [id, entry] of entries) {
      try {
        if (entry.users > 0 || !(await options.hasEnded(id))) continue;
        if (entries.get(id) !== entry || entry.users > 0) continue;
        entries.delete(id);
        await takeBack(entry);
      } catch (error) {
        log.warn({ err: error, sessionId: id }, "a session's token could not be looked after");
      }
    }
  }

  /** Never fails: it ends by itself within the hour. */
  async function takeBack({ session: { sessionId }, issued }: Entry): Promise<void> {
    const token = await issued.catch(() => null);
    if (token === null || token.expiresAt === null) return;
    try {
      await options.revoke(token.token);
      log.debug({ sessionId }, "a session's token was taken back");
    } catch (error) {
      log.warn({ err: error, sessionId }, "a session's token could not be taken back");
    }
  }

  return {
    async lease(session, refused) {
      const entry = await current(session, refused);
      entry.users += 1;
      const end = () => {
        entry.users -= 1;
      };
      try {
        const issued = await entry.issued;
        // Asked for again the next time: it may be there by then.
        if (issued === null) entries.delete(session.sessionId);
        return { credential: issued?.token ?? null, [Symbol.dispose]: end };
      } catch (error) {
        end();
        if (entries.get(session.sessionId) === entry) entries.delete(session.sessionId);
        throw error;
      }
    },
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await looking;
      const left = [...entries.values()];
      entries.clear();
      const ended = Promise.withResolvers<void>();
      const limit = setTimeout(ended.resolve, CLOSE_MS);
      await Promise.race([Promise.all(left.map(takeBack)), ended.promise]);
      clearTimeout(limit);
    },
  };
}
