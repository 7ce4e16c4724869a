import type { Logger } from "pino";
import type { Config } from "./config/config.ts";
import { systemClock } from "./core/clock.ts";
import type { Secret } from "./core/secret.ts";
import { createEventFeed } from "./events/feed.ts";
import type { HttpDeps } from "./http/deps.ts";
import { createHttp } from "./http/http.ts";
import { listen } from "./http/server.ts";
import type { HttpServer } from "./http/server.ts";
import { createMcp } from "./mcp/mcp.ts";
import { createOrchestrations } from "./orchestration/orchestrations.ts";
import { createApiTokens } from "./store/api-tokens.ts";
import type { Database } from "./store/database.ts";
import { createDeliveryStore } from "./store/deliveries.ts";
import type { EventStore } from "./store/events.ts";
import type { Notifications } from "./store/notifications.ts";

type Given = "deliveryLog" | "simulate" | "onDelivery" | "redaction" | "health" | "sessions";

export interface FrontOptions extends Pick<HttpDeps, Given> {
  config: Config;
  database: Database;
  notifications: Notifications;
  events: EventStore;
  /** Of API clients. */
  webhook: Secret;
  log: Logger;
}

/** Where people and programs meet the hub: builds it, and listens. */
export async function openFront(options: FrontOptions): Promise<HttpServer> {
  const { config, database, notifications, events, webhook, ...given } = options;
  const { githubWebhook, githubPreviousWebhook } = config.secrets;
  const orchestrations = createOrchestrations(given.sessions);
  const feed = createEventFeed({ store: events, notifications });
  const mcp = createMcp({ ...given, orchestrations, events, feed, settings: config.mcp });
  const http = createHttp({
    ...given,
    orchestrations,
    events,
    feed,
    mcp: mcp.answer,
    tokens: createApiTokens({ database, clock: systemClock }),
    deliveries: createDeliveryStore(database),
    secrets: {
      bearer: webhook,
      github: [githubWebhook, githubPreviousWebhook].filter((one) => one !== null),
    },
    settings: config.http,
    clock: systemClock,
  });
  return await listen(http, config.http);
}
