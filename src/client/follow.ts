import { setTimeout as pause } from "node:timers/promises";
import { createParser } from "eventsource-parser";
import { Event } from "../core/event.ts";
import { HubRefusal, refusalOf } from "./refusal.ts";

const RETRY_MS = { first: 100, most: 5_000 };
/** After so long without an answer from the hub it counts as gone. */
const GIVE_UP_MS = 5 * 60_000;

/**
 * Reads a session's log while it grows, until it ends. A stream that breaks is taken up where it was, so the hub may
 * be restarted meanwhile. Throws when the hub refuses, or stays away.
 */
export async function* followEvents(options: {
  url: string;
  token: string;
  sessionId: string;
  after?: number;
  signal?: AbortSignal;
}): AsyncGenerator<Event, void, undefined> {
  const isAborted = () => options.signal?.aborted ?? false;
  let position = options.after ?? 0;
  let delayMs = RETRY_MS.first;
  let answeredAt = performance.now();
  while (!isAborted()) {
    try {
      const parts = await open(options, position);
      if (parts === null) return;
      answeredAt = performance.now();
      for await (const event of eventsOf(parts)) {
        position = event.seq;
        delayMs = RETRY_MS.first;
        yield event;
        if (/^session\.(completed|failed|cancelled)$/.test(event.kind)) return;
        answeredAt = performance.now();
      }
    } catch (error) {
      if (isAborted()) return;
      if (error instanceof HubRefusal || performance.now() - answeredAt > GIVE_UP_MS) throw error;
    }
    await pause(delayMs, undefined, { signal: options.signal }).catch(() => undefined);
    delayMs = Math.min(delayMs * 2, RETRY_MS.most);
  }
}

/** Null: the session has ended, and nothing came after that event. */
async function open(
  { url, token, sessionId, signal }: Parameters<typeof followEvents>[0],
  after: number,
): Promise<ReadableStream<string> | null> {
  const response = await fetch(`${url}/api/v1/sessions/${sessionId}/events`, {
    headers: {
      accept: "text/event-stream",
      authorization: `Bearer ${token}`,
      "last-event-id": String(after),
    },
    ...(signal === undefined ? {} : { signal }),
  });
  if (response.status === 204) return null;
  if (response.status < 500 && response.status !== 429 && !response.ok)
    throw await refusalOf(response);
  if (!response.ok || response.body === null)
    throw new Error(`the hub answered ${response.status}`);
  return response.body.pipeThrough(new TextDecoderStream());
}

async function* eventsOf(parts: ReadableStream<string>): AsyncGenerator<Event, void, undefined> {
  let ready: string[] = [];
  const parser = createParser({ onEvent: ({ data }) => void ready.push(data) });
  for await (const part of parts) {
    parser.feed(part);
    const messages = ready;
    ready = [];
    for (const message of messages) yield parseEvent(message);
  }
}

/** Asking again would bring the same, so what cannot be read is no reason to. */
function parseEvent(text: string): Event {
  try {
    return Event.parse(JSON.parse(text));
  } catch (error) {
    throw new HubRefusal(200, "an event that this version does not know", { cause: error });
  }
}
