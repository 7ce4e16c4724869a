import pino from "pino";
import { asBounds } from "../../../src/core/budget.ts";
import { notFound } from "../../../src/core/errors.ts";
import type { Event } from "../../../src/core/event.ts";
import { createRedaction } from "../../../src/core/redaction.ts";
import { newId, sandboxName } from "../../../src/core/id.ts";
import { NO_USAGE } from "../../../src/core/session.ts";
import type { NewSession, Session } from "../../../src/core/session.ts";
import { Secret } from "../../../src/core/secret.ts";
import type { HttpDeps, HttpSettings } from "../../../src/http/deps.ts";
import { createHttp } from "../../../src/http/http.ts";
import { listen } from "../../../src/http/server.ts";
import type { Orchestrations } from "../../../src/orchestration/orchestrations.ts";
import type { Sessions } from "../../../src/sessions/sessions.ts";
import type { SessionTalk } from "../../../src/sessions/talk/talk.ts";

export const TOKEN = "token-of-the-tests-0123456789";
export const GITHUB_SECRET = "github-secret-of-the-tests";

export interface TestHttp extends AsyncDisposable {
  url: string;
  sessions: Map<string, Session>;
  /** Ids of deliveries that were taken. */
  deliveries: Set<string>;
  /** What was logged, as JSON lines. */
  log: string[];
  fetch(path: string, init?: RequestInit): Promise<Response>;
  /** Makes a session and gives its path. */
  session(): Promise<string>;
}

/** The HTTP server alone, over sessions in memory: for what a healthy hub does not show, and for its own speed. */
export async function startHttp(
  options: {
    settings?: Partial<HttpSettings>;
    sessions?: Partial<Sessions>;
    deps?: Partial<HttpDeps>;
  } = {},
): Promise<TestHttp> {
  const sessions = new Map<string, Session>();
  const deliveries = new Set<string>();
  const log: string[] = [];
  const known = { ...inMemory(sessions), ...options.sessions };
  const deps: HttpDeps = {
    sessions: known,
    orchestrations: coordinated(known),
    usage: async () => ({
      sessions: { pending: 0, initializing: 0, running: 0, paused: 0 },
      repositories: [],
    }),
    pauses: { pause: nothingHappens, resume: nothingHappens },
    talk: silent(known),
    approvals: { list: async () => [], open: async () => [], answer: refused },
    again: { continueWith: refused, fork: refused, retry: refused },
    events: { readAfter: () => Promise.resolve([]), isClosed: () => Promise.resolve(true) },
    feed: { follow: () => nothing() },
    mcp: () => Promise.resolve(new Response(null, { status: 202 })),
    tokens: {
      create: () => Promise.reject(new Error("there are no tokens here")),
      list: () => Promise.resolve([]),
      revoke: () => Promise.reject(notFound("Token")),
      find: () => Promise.resolve(null),
      isGood: () => Promise.resolve(false),
    },
    deliveries: {
      insert({ deliveryId }) {
        const isNew = !deliveries.has(deliveryId);
        deliveries.add(deliveryId);
        return Promise.resolve(isNew);
      },
      record({ deliveryId }) {
        deliveries.add(deliveryId);
        return Promise.resolve();
      },
      count: () => Promise.resolve(deliveries.size),
    },
    deliveryLog: {
      list: () => Promise.resolve([]),
      get: () => Promise.resolve(null),
      replay: () => Promise.resolve(false),
    },
    simulate: () => Promise.resolve({ reason: null, rules: [] }),
    redaction: createRedaction([]),
    onDelivery: () => undefined,
    notices: {
      list: () => Promise.resolve([]),
      get: () => Promise.resolve(null),
      again: () => Promise.resolve(false),
    },
    onNotice: () => undefined,
    health: () => ({
      status: "ok",
      timestamp: new Date().toISOString(),
      startup: { totalStartupTime: 0, milestones: [] },
      docker: { available: false, error: null, checkTime: null },
      claudeCodeImage: { available: false, error: null, checkTime: null },
      healthCheckDuration: 0,
    }),
    secrets: { bearer: new Secret(TOKEN), github: [new Secret(GITHUB_SECRET)] },
    settings: { ...SETTINGS, ...options.settings },
    clock: { now: () => new Date() },
    log: pino({ level: "info" }, { write: (line: string) => void log.push(line) }),
    ...options.deps,
  };
  const server = await listen(createHttp(deps), { host: "127.0.0.1", port: 0 });

  async function ask(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    if (!headers.has("authorization")) headers.set("authorization", `Bearer ${TOKEN}`);
    return await fetch(`${server.url}${path}`, { ...init, headers });
  }

  return {
    url: server.url,
    sessions,
    deliveries,
    log,
    fetch: ask,
    async session() {
      const answer = await ask("/api/v1/sessions", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: '{"type":"testing","project":{"repository":"a/b","requirements":"x"}}',
      });
      return answer.headers.get("location") ?? "";
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

const SETTINGS: HttpSettings = {
  host: "127.0.0.1",
  allowedHosts: [],
  trustProxy: 0,
  webhookBodyBytes: 25 * 1024 * 1024,
  apiBodyBytes: 2 * 1024 * 1024,
  ratePerAddress: 1_000_000_000,
  ratePerToken: 1_000_000_000,
  authFailures: 1_000_000,
  sseConnections: 100,
  sseHeartbeatMs: 15_000,
  mcpCalls: 100,
  mcpCallsPerToken: 100,
};

async function* nothing(): AsyncIterable<Event[]> {}

function inMemory(all: Map<string, Session>): Sessions {
  const find = (id: string): Session => {
    const session = all.get(id);
    if (session === undefined) throw notFound("Session");
    return session;
  };
  const change = (id: string, with_: Partial<Session>): Session => {
    const session = { ...find(id), ...with_ };
    all.set(id, session);
    return session;
  };
  return {
    create(input, { orchestrationId = null } = {}) {
      const session = newSession(input, orchestrationId);
      all.set(session.id, session);
      return Promise.resolve(session);
    },
    get: async (id) => find(id),
    ahead: async (id) => find(id) && null,
    start: async (id) => ({ session: change(id, { status: "running" }), waitingFor: [] }),
    cancel: async (id) => change(id, { status: "cancelled" }),
    latest: async (id) => id,
    writerOf: async () => null,
    list: ({ limit = 20 }) =>
      Promise.resolve({ sessions: [...all.values()].slice(-limit), nextCursor: null }),
    output: async (id) => ({ logs: [], artifacts: [], summary: find(id).status, nextSteps: [] }),
    artifacts: async (id) => [{ type: "commit", sha: find(id).id }],
    diff: async (id) => `--- ${find(id).id}\n`,
    answer: () => Promise.resolve(null),
  };
}

/** Orchestrations that are one session each. */
function coordinated(sessions: Sessions): Orchestrations {
  return {
    async create({ sessionType: type, project, options = {}, metadata = {} }) {
      const orchestrationId = newId();
      const input = { type, project, dependencies: [], options, metadata };
      const session = await sessions.create(input, { orchestrationId });
      const { status } = session;
      return {
        orchestrationId,
        status,
        sessions: [session],
        summary: "It is there",
        state: "approved",
        planVersion: 0,
      };
    },
    get: unknown,
    list: () => Promise.resolve({ orchestrations: [], nextCursor: null }),
    changePlan: unknown,
    approve: unknown,
    cancel: unknown,
  };
}

async function unknown(): Promise<never> {
  throw notFound("Orchestration");
}

const nothingHappens = () => Promise.resolve();
const refused = () => Promise.reject(notFound("Session"));

function silent({ get }: Sessions): SessionTalk {
  const sent = async (id: string) => ({ id: (await get(id)).id, at: new Date().toISOString() });
  return { message: sent, interrupt: sent };
}

function newSession(input: NewSession, orchestrationId: string | null): Session {
  const id = newId();
  return {
    id,
    type: input.type,
    status: "initializing",
    project: input.project,
    dependencies: input.dependencies,
    orchestrationId,
    continuesId: input.continues ?? null,
    metadata: input.metadata ?? {},
    options: input.options ?? {},
    sandboxName: sandboxName(id),
    agentSessionId: null,
    workBranch: null,
    error: null,
    usage: NO_USAGE,
    budget: asBounds(input.options?.budget),
    pause: null,
    pausedMs: 0,
    createdAt: new Date().toISOString(),
    requestedAt: null,
    admittedAt: null,
    startedAt: null,
    completedAt: null,
    cancelRequestedAt: null,
  };
}
