import { HubError } from "../../core/errors.ts";

/**
 * What a request is to GitHub: a sign is a reaction; a notice is a write of which people are told; a write is any other.
 */
export type RequestKind = "read" | "sign" | "notice" | "write";

/** Lets requests of one account pass as GitHub asks for it. */
export interface Turns {
  /**
   * Does the work when it is its turn. Where GitHub asks for a pause, nothing more of this account is asked until it is
   * over: a short one is waited for, and the work done once more; of a longer one everybody is told.
   *
   * @param account What GitHub counts requests by: an installation, whatever the repository.
   */
  run<T>(account: string, kind: RequestKind, work: () => Promise<T>): Promise<T>;
}

/** Source: https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api */
const WRITE_MS = 1_000;
const NOTICE_MS = 3_000;
/** Together with one write in a second, less than the 80 in a minute that GitHub takes. */
const SIGNS_A_MINUTE = 15;
const MINUTE_MS = 60_000;
/** GitHub takes 100 at once. */
const READS_AT_ONCE = 20;
const LONGEST_ROW = 1_000;
const SHORT_PAUSE_MS = 5_000;
const REMEMBERED = 1_000;
/** Whoever is asked something sees that it was heard, before anything that is longer. */
const ORDER: readonly RequestKind[] = ["sign", "notice", "write", "read"];

interface Waiting {
  kind: RequestKind;
  start(): void;
  refuse(error: HubError): void;
}

interface Row {
  waiting: Waiting[];
  reads: number;
  /** Writes go one after the other: the next one when the one before was answered. Signs do not wait for that. */
  isWriting: boolean;
  writeAt: number;
  noticeAt: number;
  /** When those of the last minute began. */
  signs: number[];
  pausedUntil: number;
  timer: NodeJS.Timeout | undefined;
}

export function createTurns(now: () => number = Date.now): Turns {
  const rows = new Map<string, Row>();

  function rowOf(account: string): Row {
    const known = rows.get(account);
    if (known !== undefined) return known;
    if (rows.size >= REMEMBERED)
      for (const [name, row] of rows) if (isIdle(row, now())) rows.delete(name);
    const row: Row = {
      waiting: [],
      reads: 0,
      isWriting: false,
      writeAt: -Infinity,
      noticeAt: -Infinity,
      signs: [],
      pausedUntil: -Infinity,
      timer: undefined,
    };
    rows.set(account, row);
    return row;
  }

  function turn(row: Row, kind: RequestKind): Promise<void> {
    const pauseMs = row.pausedUntil - now();
    if (pauseMs > SHORT_PAUSE_MS) return Promise.reject(paused(pauseMs));
    if (row.waiting.length >= LONGEST_ROW) return Promise.reject(paused(MINUTE_MS));
    return new Promise((start, refuse) => {
      row.waiting.push({ kind, start, refuse });
      advance(row);
    });
  }

  function advance(row: Row): void {
    const at = now();
    const pauseMs = row.pausedUntil - at;
    if (pauseMs > SHORT_PAUSE_MS)
      for (const one of row.waiting.splice(0)) one.refuse(paused(pauseMs));
    if (pauseMs <= 0)
      for (let next = nextOf(row, at); next !== undefined; next = nextOf(row, at)) {
        row.waiting.splice(row.waiting.indexOf(next), 1);
        begin(row, next.kind, at);
        next.start();
      }
    clearTimeout(row.timer);
    const soonest = Math.min(...row.waiting.map(({ kind }) => earliest(row, kind, at)));
    const wakeMs = Math.max(pauseMs, soonest - at);
    if (Number.isFinite(soonest)) row.timer = setTimeout(advance, wakeMs, row);
  }

  return {
    async run(account, kind, work) {
      const row = rowOf(account);
      for (let attempt = 1; ; attempt += 1) {
        await turn(row, kind);
        try {
          return await work();
        } catch (error) {
          if (!(error instanceof HubError) || error.code !== "rate_limited") throw error;
          const pauseMs = (error.retryAfterSeconds ?? 0) * 1_000;
          row.pausedUntil = Math.max(row.pausedUntil, now() + pauseMs);
          // It was refused, so it may be asked again, whatever it is.
          if (pauseMs > SHORT_PAUSE_MS || attempt > 1) throw error;
        } finally {
          end(row, kind);
          advance(row);
        }
      }
    },
  };
}

/** By its route, as octokit has it. */
export function kindOf(route: string): RequestKind {
  const [method = "", path = ""] = route.split(" ");
  if (method === "GET" || method === "HEAD") return "read";
  if (method === "POST" && path.endsWith("/reactions")) return "sign";
  return method === "POST" && NOTICES.test(path) ? "notice" : "write";
}

/** Source: triggersNotification of @octokit/plugin-throttling 11. */
const NOTICES =
  /\/(issues|issues\/[^/]+\/comments|pulls|pulls\/[^/]+\/(comments|reviews)|pulls\/[^/]+\/comments\/[^/]+\/replies|pulls\/[^/]+\/requested_reviewers)$/;

function nextOf(row: Row, at: number): Waiting | undefined {
  for (const kind of ORDER) {
    if (earliest(row, kind, at) > at) continue;
    const next = row.waiting.find((one) => one.kind === kind);
    if (next !== undefined) return next;
  }
  return undefined;
}

/** When one of this kind may begin; never, until something else has ended. */
function earliest(row: Row, kind: RequestKind, at: number): number {
  switch (kind) {
    case "read":
      return row.reads < READS_AT_ONCE ? at : Infinity;
    case "sign":
      return signsOf(row, at).length < SIGNS_A_MINUTE ? at : row.writeAt;
    case "notice":
      return row.isWriting ? Infinity : Math.max(row.writeAt, row.noticeAt);
    case "write":
      return row.isWriting ? Infinity : row.writeAt;
    default:
      return kind satisfies never;
  }
}

function begin(row: Row, kind: RequestKind, at: number): void {
  if (kind === "read") {
    row.reads += 1;
    return;
  }
  if (kind === "sign") {
    row.signs = signsOf(row, at);
    // One more than those that are free goes as any write.
    if (row.signs.length < SIGNS_A_MINUTE) row.signs.push(at);
    else row.writeAt = at + WRITE_MS;
    return;
  }
  row.isWriting = true;
  row.writeAt = at + WRITE_MS;
  if (kind === "notice") row.noticeAt = at + NOTICE_MS;
}

function end(row: Row, kind: RequestKind): void {
  if (kind === "read") row.reads -= 1;
  else if (kind !== "sign") row.isWriting = false;
}

function signsOf({ signs }: Row, at: number): number[] {
  return signs.filter((began) => began > at - MINUTE_MS);
}

function isIdle(row: Row, at: number): boolean {
  const { waiting, reads, isWriting, noticeAt, writeAt, pausedUntil } = row;
  const isFree = Math.max(noticeAt, writeAt, pausedUntil) <= at && signsOf(row, at).length === 0;
  return isFree && waiting.length === 0 && reads === 0 && !isWriting;
}

function paused(pauseMs: number): HubError {
  return new HubError("rate_limited", "GitHub asks for a pause", {
    retryAfterSeconds: Math.max(1, Math.ceil(pauseMs / 1_000)),
  });
}
