import { eventText } from "../core/event-text.ts";
import type { Id } from "../core/id.ts";
import { isFinal } from "../core/session.ts";
import type { McpCall } from "./tool.ts";
import { cut } from "./views.ts";

/** Who waits is told at most so often, and at least so often: clients give up what they hear nothing of. */
const TELL_MS = { most: 1_000, least: 10_000 };
const MESSAGE_CHARS = 200;

/**
 * Until all the sessions are over, or any of them; or the time is up, or nobody waits any more. Follows their logs, so
 * that nothing is asked again and again.
 */
export async function waitForSessions(
  call: McpCall,
  { ids, mode, waitMs }: { ids: Id[]; mode: "all" | "any"; waitMs: number },
): Promise<void> {
  const enough = new AbortController();
  const until = AbortSignal.any([call.signal, enough.signal, AbortSignal.timeout(waitMs)]);
  const over = new Set<Id>();
  const teller = startTelling(call, () => `${over.size} of ${ids.length} sessions are over`);
  const waits = ids.map(async (id) => {
    await untilOver(call, id, until, teller.note);
    // Whoever comes back because the time is up has not seen an end.
    if (!until.aborted) over.add(id);
  });
  try {
    await (mode === "all" ? Promise.all(waits) : Promise.race(waits));
  } finally {
    enough.abort();
    teller.stop();
    await Promise.allSettled(waits);
  }
}

async function untilOver(
  { sessions, events, feed }: McpCall,
  id: Id,
  until: AbortSignal,
  note: (id: Id, message: string) => void,
): Promise<void> {
  // In this order: what ends a session that is not over yet comes after the end of its log.
  const { lastSeq } = await events.end(id);
  const session = await sessions.get(id);
  if (isFinal(session.status)) return;
  for await (const batch of feed.follow(id, lastSeq, until)) {
    const last = batch.at(-1);
    if (last !== undefined) note(id, eventText(last));
  }
}

/** Tells who waits what was last heard of, and else that the hub is still there. */
function startTelling(call: McpCall, state: () => string) {
  let news: string | null = null;
  let toldAt = performance.now();
  const timer = setInterval(() => {
    if (news === null && performance.now() - toldAt < TELL_MS.least) return;
    call.progress(news === null ? state() : `${state()}; ${news}`);
    news = null;
    toldAt = performance.now();
  }, TELL_MS.most);
  return {
    note(id: Id, message: string): void {
      news = cut(`${id.slice(-8)}: ${message}`, MESSAGE_CHARS);
    },
    stop: () => clearInterval(timer),
  };
}
