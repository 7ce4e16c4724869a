import { Event } from "../core/event.ts";
import type { NewSession, SessionStatus } from "../core/session.ts";
import { createClient } from "./client.ts";
import { followEvents } from "./follow.ts";
import { linesOf } from "./lines.ts";
import { orchestrationsOf } from "./orchestrations.ts";
import { HubAway, HubRefusal, refusalOf } from "./refusal.ts";
import { talkOf } from "./talk.ts";

export interface SessionQuery {
  status?: SessionStatus;
  repository?: string;
  orchestrationId?: string;
  idPrefix?: string;
  dependsOn?: string;
  limit?: number;
  cursor?: string;
}

export type Hub = ReturnType<typeof createHub>;
/** As the hub shows it. */
export type SessionResource = Awaited<ReturnType<Hub["get"]>>;
export type OrchestrationResource = Awaited<ReturnType<Hub["orchestration"]>>;

/** A hub, as functions. All throw HubRefusal for what it refuses and HubAway when it is not there. */
export function createHub({ url, token }: { url: string; token: string }) {
  const client = createClient({ url, token, fetch: reach });
  const { sessions } = client;
  return {
    url,
    ...talkOf(client),
    ...orchestrationsOf(client),
    async create(session: NewSession) {
      const answer = await sessions.$post({ json: session });
      if (answer.status !== 201) throw await refusalOf(answer);
      return await answer.json();
    },
    async start(id: string) {
      const answer = await sessions[":id"].start.$post({ param: { id } });
      if (answer.status !== 200) throw await refusalOf(answer);
      return await answer.json();
    },
    async cancel(id: string) {
      const answer = await sessions[":id"].cancel.$post({ param: { id } });
      if (answer.status !== 200) throw await refusalOf(answer);
      return await answer.json();
    },
    async get(id: string) {
      const answer = await sessions[":id"].$get({ param: { id } });
      if (answer.status !== 200) throw await refusalOf(answer);
      return await answer.json();
    },
    /** Newest first. */
    async list({ limit, ...query }: SessionQuery) {
      const answer = await sessions.$get({
        query: limit === undefined ? query : { ...query, limit: String(limit) },
      });
      if (answer.status !== 200) throw await refusalOf(answer);
      return await answer.json();
    },
    async output(id: string) {
      const answer = await sessions[":id"].output.$get({ param: { id } });
      if (answer.status !== 200) throw await refusalOf(answer);
      return await answer.json();
    },
    async diff(id: string) {
      const answer = await sessions[":id"].diff.$get({ param: { id } });
      if (answer.status !== 200) throw await refusalOf(answer);
      return await answer.text();
    },
    /** The log so far. */
    async *events(id: string, after = 0) {
      const answer = await reach(`${url}/api/v1/sessions/${id}/events?after=${after}`, {
        headers: { authorization: `Bearer ${token}`, accept: "application/x-ndjson" },
      });
      if (!answer.ok || answer.body === null) throw await refusalOf(answer);
      for await (const line of linesOf(answer.body)) yield parseEvent(line);
    },
    /** The log while it grows, to the end of the session. */
    follow: (sessionId: string, options: { after?: number; signal?: AbortSignal } = {}) =>
      followEvents({ url, token, sessionId, ...options }),
  };
}

/** Never elsewhere: whoever redirects must not be shown the token. */
export async function reach(input: string | URL | Request, init?: RequestInit): Promise<Response> {
  const answer = await fetch(input, { ...init, redirect: "manual" }).catch((error: unknown) => {
    if (init?.signal?.aborted === true) throw error;
    throw new HubAway(`no hub answers at ${originOf(input)} (${reasonOf(error)})`, {
      cause: error,
    });
  });
  if (answer.status >= 300 && answer.status < 400)
    throw new HubAway(
      `what answers at ${originOf(input)} says that the hub is elsewhere (${answer.headers.get("location") ?? ""}); name that address`,
    );
  return answer;
}

function originOf(input: string | URL | Request): string {
  return new URL(input instanceof Request ? input.url : input).origin;
}

function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  if (cause instanceof Error) return cause.message || ("code" in cause ? String(cause.code) : "");
  return error instanceof Error ? error.message : String(error);
}

function parseEvent(line: string): Event {
  const event = Event.safeParse(JSON.parse(line));
  if (event.success) return event.data;
  throw new HubRefusal(200, "an event that this version does not know", { cause: event.error });
}
