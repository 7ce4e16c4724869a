import type { Logger } from "pino";
import { systemClock } from "../core/clock.ts";
import type { Secret } from "../core/secret.ts";
import { createAddressCheck } from "../gateway/egress/addresses.ts";
import { createLookup } from "../gateway/egress/resolver.ts";
import type { Sessions } from "../sessions/sessions.ts";
import { createNoticeStore } from "../store/notices.ts";
import type { NoticeStore } from "../store/notices.ts";
import type { Database } from "../store/database.ts";
import type { ResultStore } from "../store/sessions/results.ts";
import type { SessionStore } from "../store/sessions/sessions.ts";
import { startNotifier } from "./notifier.ts";
import { createPost } from "./post.ts";

export interface NotifySettings {
  urls: readonly string[];
  /** Open although they are not public, for the addresses that sessions name. */
  addresses: readonly string[];
  timeoutMs: number;
}

const POLL_MS = 1_000;
/** Beyond the time that one try may take. */
const LEASE_MS = 5_000;

/** Begins to tell others of the ends of sessions; answers what has been told, and what waits. */
export function openNotifier(
  options: {
    database: Database;
    stores: { sessions: SessionStore; results: ResultStore };
    sessions: Sessions;
    keys: readonly Secret[];
    settings: NotifySettings;
    dnsServers: readonly string[];
    hubPorts: ReadonlySet<number>;
    log: Logger;
  },
  parts: AsyncDisposableStack,
): { notices: NoticeStore; ring(): void } {
  const { database, stores, sessions, keys, settings, dnsServers, hubPorts, log } = options;
  const { timeoutMs, addresses: ranges } = settings;
  const notices = createNoticeStore(database);
  const notifier = parts.use(
    startNotifier({
      notices,
      stored: stores.sessions,
      sessions,
      results: stores.results,
      post: createPost({
        lookup: createLookup(dnsServers, timeoutMs),
        check: createAddressCheck({ ranges, hubPorts: () => hubPorts }),
        timeoutMs,
      }),
      subscriptions: settings.urls,
      keys,
      settings: { pollMs: POLL_MS, leaseMs: timeoutMs + LEASE_MS },
      clock: systemClock,
      log,
    }),
  );
  return { notices, ring: () => notifier.ring() };
}
