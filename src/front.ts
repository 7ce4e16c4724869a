import type { Logger } from "pino";
import type { Config } from "./config/config.ts";
import { systemClock } from "./core/clock.ts";
import type { Secret } from "./core/secret.ts";
import type { EventFeed } from "./events/feed.ts";
import type { HttpDeps } from "./http/deps.ts";
import { createHttp } from "./http/http.ts";
import { listen } from "./http/server.ts";
import type { HttpServer } from "./http/server.ts";
import { createMcp } from "./mcp/mcp.ts";
import { openNotifier } from "./notify/open.ts";
import { createApiTokens } from "./store/api-tokens.ts";
import type { Database } from "./store/database.ts";
import { createDeliveryStore } from "./store/deliveries/deliveries.ts";
import type { createStores } from "./store/stores.ts";
import { usageReport } from "./store/spending/usage.ts";

type Given =
  | "deliveryLog"
  | "simulate"
  | "onDelivery"
  | "redaction"
  | "health"
  | "sessions"
  | "orchestrations"
  | "talk"
  | "again"
  | "approvals"
  | "pauses";

export interface FrontOptions extends Pick<HttpDeps, Given> {
  config: Config;
  database: Database;
  stores: ReturnType<typeof createStores>;
  feed: EventFeed;
  /** `bearer`: of API clients. `notify`: notices are signed with, the newest first. */
  keys: { bearer: Secret; notify: readonly Secret[] };
  /** Gets the port that the hub listens on. */
  hubPorts: Set<number>;
  log: Logger;
}

/** Where people and programs meet the hub: its HTTP server, and what it tells them of its own accord. */
export async function openFront(
  options: FrontOptions,
): Promise<Pick<HttpServer, "url"> & AsyncDisposable> {
  const { config, database, stores, feed, keys, hubPorts, ...given } = options;
  const { events } = stores;
  await using parts = new AsyncDisposableStack();
  const { githubWebhook, githubPreviousWebhook } = config.secrets;
  const mcp = createMcp({ ...given, events, feed, settings: config.mcp });
  const notifier = openNotifier(
    {
      database,
      stores,
      sessions: given.sessions,
      keys: keys.notify,
      settings: config.notify,
      dnsServers: config.egress.dnsServers,
      hubPorts,
      log: given.log,
    },
    parts,
  );
  const http = createHttp({
    ...given,
    events,
    feed,
    mcp: mcp.answer,
    tokens: createApiTokens({ database, clock: systemClock }),
    deliveries: createDeliveryStore(database),
    notices: notifier.notices,
    usage: (since) => usageReport(database, since),
    onNotice: notifier.ring,
    secrets: {
      bearer: keys.bearer,
      github: [githubWebhook, githubPreviousWebhook].filter((one) => one !== null),
    },
    settings: config.http,
    clock: systemClock,
  });
  const { url } = parts.use(await listen(http, config.http));
  hubPorts.add(Number(new URL(url).port));
  const all = parts.move();
  return { url, [Symbol.asyncDispose]: () => all.disposeAsync() };
}
