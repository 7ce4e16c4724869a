import { setTimeout as pause } from "node:timers/promises";
import { createParser } from "eventsource-parser";
import { Event } from "../core/event.ts";

const RETRY_MS = { first: 100, most: 5_000 };

/**
 * Reads a session's log while it grows, until it ends. A stream that breaks is taken up where it was, so the hub may
 * be restarted meanwhile. Throws when the hub refuses.
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
  while (!isAborted()) {
    try {
      for await (const event of readOnce(options, position)) {
        position = event.seq;
        delayMs = RETRY_MS.first;
        yield event;
        if (/^session\.(completed|failed|cancelled)$/.test(event.kind)) return;
      }
    } catch (error) {
      if (error instanceof Refusal) throw error;
      if (isAborted()) return;
    }
    await pause(delayMs);
    delayMs = Math.min(delayMs * 2, RETRY_MS.most);
  }
}

class Refusal extends Error {
  override name = "Refusal";
}

async function* readOnce(
  { url, token, sessionId, signal }: Parameters<typeof followEvents>[0],
  after: number,
): AsyncGenerator<Event, void, undefined> {
  const response = await fetch(`${url}/api/v1/sessions/${sessionId}/events`, {
    headers: {
      accept: "text/event-stream",
      authorization: `Bearer ${token}`,
      "last-event-id": String(after),
    },
    ...(signal === undefined ? {} : { signal }),
  });
  if (response.status === 204) return;
  if (response.status < 500 && response.status !== 429 && !response.ok)
    throw new Refusal(`the hub answered ${response.status}`);
  if (!response.ok || response.body === null)
    throw new Error(`the hub answered ${response.status}`);
  let ready: Event[] = [];
  const parser = createParser({
    onEvent: ({ data }) => void ready.push(Event.parse(JSON.parse(data))),
  });
  for await (const text of response.body.pipeThrough(new TextDecoderStream())) {
    parser.feed(text);
    const events = ready;
    ready = [];
    yield* events;
  }
}
