import type { HttpBindings } from "@hono/node-server";
import type { Context } from "hono";
import type { Logger } from "pino";
import type { Access } from "../core/access.ts";
import type { Clock } from "../core/clock.ts";
import type { Redaction } from "../core/redaction.ts";
import type { Secret } from "../core/secret.ts";
import type { EventFeed } from "../events/feed.ts";
import type { Orchestrations } from "../orchestration/orchestrations.ts";
import type { SessionAgain } from "../sessions/talk/again.ts";
import type { SessionPauses } from "../sessions/talk/pause.ts";
import type { SessionApprovals } from "../sessions/talk/approvals.ts";
import type { Sessions } from "../sessions/sessions.ts";
import type { SessionTalk } from "../sessions/talk/talk.ts";
import type { ApiTokens } from "../store/api-tokens.ts";
import type { DeliveryStore } from "../store/deliveries/deliveries.ts";
import type { DeliveryLog } from "../store/deliveries/delivery-log.ts";
import type { EventStore } from "../store/log/events.ts";
import type { UsageReport } from "../store/spending/usage.ts";
import type { NoticeStore } from "../store/notices.ts";
import type { HealthReport } from "./health.ts";

/** Requests come from Node's own server: bodies are read from its streams. */
export interface HttpEnv {
  Bindings: HttpBindings;
  Variables: {
    /** Who asks, once that is known: everywhere below /api/v1. */
    access: Access;
  };
}
export type HttpContext = Context<HttpEnv>;

export interface HttpSettings {
  /** The address that the hub listens on. */
  host: string;
  /** Names, besides that and loopback names, under which it answers. */
  allowedHosts: string[];
  /** Reverse proxies in front. */
  trustProxy: number;
  webhookBodyBytes: number;
  apiBodyBytes: number;
  /** Requests a minute. */
  ratePerAddress: number;
  ratePerToken: number;
  authFailures: number;
  sseConnections: number;
  sseHeartbeatMs: number;
  /** Open at the same time. */
  mcpCalls: number;
  mcpCallsPerToken: number;
}

/** What each rule would do; `reason`: why none of them is asked at all. */
export interface Simulation {
  reason: string | null;
  rules: { rule: string; would: string | null; why: string | null }[];
}

export interface HttpDeps {
  sessions: Sessions;
  talk: SessionTalk;
  again: SessionAgain;
  approvals: SessionApprovals;
  pauses: SessionPauses;
  orchestrations: Orchestrations;
  events: Pick<EventStore, "readAfter" | "isClosed">;
  feed: EventFeed;
  tokens: ApiTokens;
  /** Answers a request of the Model Context Protocol, whose body is parsed. */
  mcp(request: Request, body: unknown, access: Access): Promise<Response>;
  deliveries: DeliveryStore;
  deliveryLog: Pick<DeliveryLog, "list" | "get" | "replay">;
  /** What would come of a delivery, and why; nothing is written. */
  simulate(delivery: {
    event: string;
    payload: Buffer;
    deliveryId: string;
    receivedAt: string;
  }): Promise<Simulation>;
  /** A new delivery waits. */
  onDelivery(): void;
  notices: Pick<NoticeStore, "list" | "get" | "again">;
  /** A notice waits. */
  onNotice(): void;
  /** Of what is shown that others have sent. */
  redaction: Redaction;
  /** What goes on, and what has been used since then. */
  usage(since: Date): Promise<UsageReport>;
  /** At once, from what was found out before. */
  health: () => HealthReport;
  /** `github`: the one that deliveries are signed with, and the one before it. */
  secrets: { bearer: Secret; github: readonly Secret[] };
  settings: HttpSettings;
  clock: Clock;
  log: Logger;
}
