import { HubError } from "../../core/errors.ts";

/**
 * What a request is to GitHub: a sign is a reaction; a notice is a write of which people are told; an edit changes a comment;
 * a check is no content; a write is any other.
 */
export type RequestKind = "read" | "sign" | "notice" | "write" | "check" | "edit";

/** Lets requests of one account pass as GitHub asks for it. */
export interface Turns {
  /**
   * Does the work when it is its turn. Where GitHub asks for a pause, nothing more of this account is asked until it is
   * over: a short one is waited for, and the work done once more; of a longer one everybody is told.
   *
   * @param account What GitHub counts requests by: an installation, whatever the repository.
   * @param about What is signed; signs about one thing keep their order, as a late first one would contradict the last.
   */
  run<T>(account: string, kind: RequestKind, work: () => Promise<T>, about?: string): Promise<T>;
}

/** Source: https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api */
const WRITE_MS = 1_000;
const NOTICE_MS = 3_000;
/** Together with one write in a second, less than the 80 in a minute that GitHub takes. */
const SIGNS_A_MINUTE = 15;
const MINUTE_MS = 60_000;
/** Those of one minute may reach GitHub late, and must not meet those of the next one there. */
const SIGNS_MS = 90_000;
const HOUR_MS = 3_600_000;
/**
 * Content of an hour, up to which each kind goes: GitHub takes 500. What matters less leaves room for what matters more. That
 * signs count is nowhere said, nor that they do not.
 */
const PER_HOUR: Readonly<Record<RequestKind, number>> = {
  notice: 480,
  write: 460,
  edit: 440,
  sign: 200,
  check: Infinity,
  read: Infinity,
};
/** Longer nobody waits for the hour's allowance, but is told when to ask again. */
const LONGEST_WAIT_MS = 60_000;
/** GitHub takes 100 at once. */
const READS_AT_ONCE = 20;
const LONGEST_ROW = 1_000;
const SHORT_PAUSE_MS = 5_000;
const REMEMBERED = 1_000;
/** Whoever is asked something sees that it was heard, before anything that is longer. */
const ORDER: readonly RequestKind[] = ["sign", "notice", "write", "check", "edit", "read"];

interface Waiting {
  kind: RequestKind;
  about: string | null;
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
  /** What is being signed. */
  signing: Set<string>;
  /** When the content of the last hour was begun, the oldest first. */
  content: number[];
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
      signing: new Set(),
      content: [],
      pausedUntil: -Infinity,
      timer: undefined,
    };
    rows.set(account, row);
    return row;
  }

  function turn(row: Row, kind: RequestKind, about: string | null, isAgain: boolean) {
    const pauseMs = row.pausedUntil - now();
    if (pauseMs > SHORT_PAUSE_MS) return Promise.reject(paused(pauseMs));
    if (row.waiting.length >= LONGEST_ROW) return Promise.reject(paused(MINUTE_MS));
    row.content = recent(row.content, now() - HOUR_MS);
    const same = row.waiting.filter((one) => one.kind === kind).length;
    const roomMs = roomAt(row, kind, now(), same) - now();
    if (roomMs > LONGEST_WAIT_MS) return Promise.reject(spent(roomMs));
    return new Promise<void>((start, refuse) => {
      const waiting = { kind, about, start, refuse };
      // What was refused was first, and stays it.
      if (isAgain) row.waiting.unshift(waiting);
      else row.waiting.push(waiting);
      advance(row);
    });
  }

  function advance(row: Row): void {
    const at = now();
    row.content = recent(row.content, at - HOUR_MS);
    const pauseMs = row.pausedUntil - at;
    if (pauseMs > SHORT_PAUSE_MS)
      for (const one of row.waiting.splice(0)) one.refuse(paused(pauseMs));
    // Others that matter more may have taken what was left.
    const rooms = new Map(ORDER.map((kind) => [kind, roomAt(row, kind, at, 0) - at]));
    row.waiting = row.waiting.filter(({ kind, refuse }) => {
      const roomMs = rooms.get(kind) ?? 0;
      if (roomMs > LONGEST_WAIT_MS) refuse(spent(roomMs));
      return roomMs <= LONGEST_WAIT_MS;
    });
    if (pauseMs <= 0)
      for (let next = nextOf(row, at); next !== undefined; next = nextOf(row, at)) {
        row.waiting.splice(row.waiting.indexOf(next), 1);
        begin(row, next, at);
        next.start();
      }
    clearTimeout(row.timer);
    const kinds = new Set(row.waiting.filter((one) => mayFollow(row, one)).map(({ kind }) => kind));
    const soonest = Math.min(...[...kinds].map((kind) => earliest(row, kind, at)));
    const wakeMs = Math.max(pauseMs, soonest - at);
    if (Number.isFinite(soonest)) row.timer = setTimeout(advance, wakeMs, row);
  }

  return {
    async run(account, kind, work, about) {
      const signed = kind === "sign" ? (about ?? null) : null;
      const row = rowOf(account);
      for (let attempt = 1; ; attempt += 1) {
        await turn(row, kind, signed, attempt > 1);
        try {
          return await work();
        } catch (error) {
          if (!(error instanceof HubError) || error.code !== "rate_limited") throw error;
          const pauseMs = (error.retryAfterSeconds ?? 0) * 1_000;
          row.pausedUntil = Math.max(row.pausedUntil, now() + pauseMs);
          // It was refused, so it may be asked again, whatever it is.
          if (pauseMs > SHORT_PAUSE_MS || attempt > 1) throw error;
        } finally {
          end(row, kind, signed);
          advance(row);
        }
      }
    },
  };
}

/** Whether it was refused because the hour's allowance is spent, and not by GitHub. */
export function isAllowanceSpent(error: unknown): boolean {
  return error instanceof HubError && error.cause === SPENT;
}

const SPENT = "the hour's allowance of content is spent";

/** By its route, as octokit has it. */
export function kindOf(route: string): RequestKind {
  const [method = "", path = ""] = route.split(" ");
  if (method === "GET" || method === "HEAD") return "read";
  if (method === "POST" && path.endsWith("/reactions")) return "sign";
  if (method === "POST" && NOTICES.test(path)) return "notice";
  if (method === "PATCH" && EDITS.test(path)) return "edit";
  return CHECKS.test(path) ? "check" : "write";
}

/** Source: triggersNotification of @octokit/plugin-throttling 11. */
const NOTICES =
  /\/(issues|issues\/[^/]+\/comments|pulls|pulls\/[^/]+\/(comments|reviews)|pulls\/[^/]+\/comments\/[^/]+\/replies|pulls\/[^/]+\/requested_reviewers)$/;

const EDITS = /\/(issues|pulls)\/comments\/[^/]+$/;
const CHECKS = /\/check-runs(\/[^/]+)?$/;

function nextOf(row: Row, at: number): Waiting | undefined {
  for (const kind of ORDER) {
    if (earliest(row, kind, at) > at) continue;
    const next = row.waiting.find((one) => one.kind === kind && mayFollow(row, one));
    if (next !== undefined) return next;
  }
  return undefined;
}

/** Whether nothing else about the same thing is under way. */
function mayFollow({ signing }: Row, { about }: Waiting): boolean {
  return about === null || !signing.has(about);
}

/** When one of this kind may begin; never, until something else has ended. */
function earliest(row: Row, kind: RequestKind, at: number): number {
  return Math.max(paceOf(row, kind, at), roomAt(row, kind, at, 0));
}

/** When the hour's allowance has room for one more of this kind: after those that matter more, and `same` of its own. */
function roomAt(row: Row, kind: RequestKind, at: number, same: number): number {
  const rank = ORDER.indexOf(kind);
  const more = row.waiting.filter(
    (one) => isContent(one.kind) && ORDER.indexOf(one.kind) < rank,
  ).length;
  const over = row.content.length + more + same - PER_HOUR[kind];
  return over < 0 ? at : (row.content[over] ?? at) + HOUR_MS;
}

function paceOf(row: Row, kind: RequestKind, at: number): number {
  switch (kind) {
    case "read":
      return row.reads < READS_AT_ONCE ? at : Infinity;
    case "sign":
      return signsOf(row, at).length < SIGNS_A_MINUTE ? at : row.writeAt;
    case "notice":
      return row.isWriting ? Infinity : Math.max(row.writeAt, row.noticeAt);
    case "write":
    case "check":
    case "edit":
      return row.isWriting ? Infinity : row.writeAt;
    default:
      return kind satisfies never;
  }
}

function begin(row: Row, { kind, about }: Waiting, at: number): void {
  if (kind === "read") {
    row.reads += 1;
    return;
  }
  if (isContent(kind)) row.content.push(at);
  if (kind === "sign") {
    if (about !== null) row.signing.add(about);
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

function end(row: Row, kind: RequestKind, about: string | null): void {
  if (about !== null) row.signing.delete(about);
  if (kind === "read") row.reads -= 1;
  else if (kind !== "sign") row.isWriting = false;
}

function signsOf({ signs }: Row, at: number): number[] {
  return signs.filter((began) => began > at - SIGNS_MS);
}

/** Times that rise, without those up to `after`. */
function recent(times: number[], after: number): number[] {
  const first = times.findIndex((time) => time > after);
  return first === 0 ? times : first < 0 ? [] : times.slice(first);
}

function isContent(kind: RequestKind): boolean {
  return kind !== "read" && kind !== "check";
}

function isIdle(row: Row, at: number): boolean {
  const { waiting, reads, isWriting, noticeAt, writeAt, pausedUntil } = row;
  const isFree =
    Math.max(noticeAt, writeAt, pausedUntil) <= at &&
    recent(row.content, at - HOUR_MS).length === 0;
  return isFree && waiting.length === 0 && reads === 0 && !isWriting;
}

function paused(pauseMs: number): HubError {
  return new HubError("rate_limited", "GitHub asks for a pause", {
    retryAfterSeconds: Math.max(1, Math.ceil(pauseMs / 1_000)),
  });
}

function spent(roomMs: number): HubError {
  return new HubError("rate_limited", "GitHub takes no more of this hour", {
    cause: SPENT,
    retryAfterSeconds: Math.ceil(roomMs / 1_000),
  });
}
