import type { Logger } from "pino";
import type { Clock } from "../core/clock.ts";
import { newId } from "../core/id.ts";
import type { Secret } from "../core/secret.ts";
import { startRounds } from "../events/rounds.ts";
import type { Rounds } from "../events/rounds.ts";
import type { Sessions } from "../sessions/sessions.ts";
import type { Announcement, Notice, NoticeStore, StoredNotice } from "../store/notices.ts";
import type { ResultStore } from "../store/sessions/results.ts";
import type { SessionStore } from "../store/sessions/sessions.ts";
import { messageOf } from "./message.ts";
import type { Post } from "./post.ts";
import { fateOf } from "./retry.ts";
import { signatureHeaders } from "./signature.ts";

export interface NotifierDeps {
  notices: NoticeStore;
  stored: Pick<SessionStore, "get">;
  sessions: Pick<Sessions, "artifacts">;
  results: Pick<ResultStore, "get">;
  post: Post;
  /** Of all sessions, besides the address that a session names for itself. */
  subscriptions: readonly string[];
  /** Sign each notice, the first before the others. */
  keys: readonly Secret[];
  settings: { pollMs: number; leaseMs: number };
  clock: Clock;
  log: Logger;
}

const BATCH = 100;
/** At the same time; a receiver that is slow keeps back these few. */
const LANES = 16;

/** Tells those who want to know what became of sessions. Each is told at least once, and knows a repeat by its id. */
export function startNotifier(deps: NotifierDeps): Rounds {
  return startRounds({
    async round(signal) {
      while (!signal.aborted) {
        const spread = await deps.notices.spread(BATCH, (one) => noticesOf(deps, one));
        const { leaseMs } = deps.settings;
        const now = deps.clock.now();
        const due = await deps.notices.claim({ now, leaseMs, limit: LANES });
        await Promise.all(due.map((notice) => send(deps, notice, signal)));
        if (spread < BATCH && due.length < LANES) return;
      }
    },
    pollMs: deps.settings.pollMs,
    failed: "notices could not be sent",
    log: deps.log,
  });
}

async function noticesOf(deps: NotifierDeps, announced: Announcement): Promise<Notice[]> {
  const session = await deps.stored.get(announced.sessionId);
  if (session === null) return [];
  const { notifyUrl } = session.options;
  const wanted = new Map(deps.subscriptions.map((url) => [url, true]));
  if (notifyUrl !== undefined && !wanted.has(notifyUrl)) wanted.set(notifyUrl, false);
  if (wanted.size === 0) return [];
  const result = await deps.results.get(session.id);
  const body = messageOf(announced, session, {
    summary: result?.summary ?? "",
    nextSteps: result?.nextSteps ?? [],
    artifacts: await deps.sessions.artifacts(session.id),
  });
  return [...wanted].map(([url, listed]) => ({ ...announced, id: newId(), url, listed, body }));
}

async function send(deps: NotifierDeps, notice: StoredNotice, signal: AbortSignal): Promise<void> {
  const { notices, clock, log } = deps;
  const headers = signatureHeaders(notice, clock.now(), deps.keys);
  const answer = await deps.post({ ...notice, headers }, signal);
  // It was cut off because the hub ends: the next hub finds it due again.
  if (signal.aborted && answer.kind === "unreachable") return;
  const fate = fateOf(answer, notice.attempts);
  const at = clock.now();
  // The address may hold a secret of its receiver; its host says enough.
  const told = { session: notice.sessionId, notice: notice.id, host: new URL(notice.url).host };
  switch (fate.kind) {
    case "told":
      await notices.told(notice.id, fate.outcome, at);
      return;
    case "again":
      log.info({ ...told, outcome: fate.outcome, waitMs: fate.waitMs }, "notice was not taken");
      await notices.putOff(notice.id, fate.outcome, new Date(at.getTime() + fate.waitMs));
      return;
    case "given up":
      log.warn({ ...told, outcome: fate.outcome }, "notice was given up");
      await notices.giveUp(notice.id, fate.outcome, at);
      return;
    default:
      fate satisfies never;
  }
}
