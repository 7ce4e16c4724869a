import type { GateState } from "../../store/threads/review-gates.ts";
import type { Verdict } from "../checks/verdict.ts";

/*
 * When a commit of a pull request is reviewed by itself.
 *
 * A gate is `armed` when the pull request is opened, made ready or pushed to, and no check is known. It is `waiting` while
 * checks go on, or have failed and may be run again. When all have passed it is `ready`: another workflow may begin only now,
 * so it must stay so for a while. Then it is `reviewing`, by one session, and `done` when that has ended. It is `superseded`
 * as soon as the pull request has another head, and `skipped` when there is a reason not to review. Only who opens the pull
 * request again, or pushes the same commit again, arms those two once more; nothing else leaves an end.
 *
 * What happens says only that the gate is to be looked at. Each look reads the pull request and its checks anew; so events may
 * come twice, in any order, or not at all, as long as the gate's own time comes.
 */

export interface GateSettings {
  /** How long all checks must have been green. */
  debounceMs: number;
  /** After this, checks that have not ended are waited for no more. */
  maxWaitMs: number;
  /** After this, a commit without any check is taken for one that gets none. */
  noChecksMs: number;
  /** What becomes of a commit whose checks do not end. */
  whenLate: "review" | "skip";
}

/** What a look has found. */
export interface Found {
  /** Why it is not to be reviewed; null: nothing speaks against it. */
  refusal: string | null;
  isHead: boolean;
  verdict: Verdict["state"];
  /** Something happened since the last look, and it is not only time that has passed. */
  isWoken: boolean;
}

export interface Gate {
  state: GateState;
  armedAt: Date;
  /** Since when it is `ready`. */
  readyAt: Date | null;
  /** When it is looked at next, if nothing happens before; null: not by itself. */
  dueAt: Date | null;
}

export type Step = Pick<Gate, "state" | "readyAt" | "dueAt"> & { reason: string | null };

/** Where a gate goes from `armed`, `waiting` or `ready`. */
export function stepOf(gate: Gate, found: Found, settings: GateSettings, now: Date): Step {
  if (!found.isHead) return end("superseded", "the pull request has moved on");
  if (found.refusal !== null) return end("skipped", found.refusal);
  const ageMs = now.getTime() - gate.armedAt.getTime();
  switch (found.verdict) {
    case "none":
      return ageMs >= settings.noChecksMs
        ? review("no check was reported")
        : stay("armed", after(gate.armedAt, settings.noChecksMs));
    case "waiting":
      if (ageMs < settings.maxWaitMs)
        return stay("waiting", after(gate.armedAt, settings.maxWaitMs));
      return settings.whenLate === "review"
        ? review("checks have not ended in time")
        : end("skipped", "checks have not ended in time");
    case "failed":
      // Looked at once more, in case nobody tells of a run that mends it.
      return stay(
        "waiting",
        ageMs < settings.maxWaitMs ? after(gate.armedAt, settings.maxWaitMs) : null,
      );
    case "passed":
      return whenGreen(gate, found.isWoken, settings, now);
    default:
      return found.verdict satisfies never;
  }
}

function whenGreen(gate: Gate, isWoken: boolean, settings: GateSettings, now: Date): Step {
  const { debounceMs, maxWaitMs } = settings;
  const readyAt = gate.state === "ready" && gate.readyAt !== null ? gate.readyAt : now;
  const isNew = readyAt === now;
  const quietUntil = isNew || isWoken ? after(now, debounceMs) : (gate.dueAt ?? now);
  // Somebody who never stops reporting cannot put it off for ever.
  const latest = after(readyAt, Math.max(debounceMs, maxWaitMs));
  const dueAt = quietUntil < latest ? quietUntil : latest;
  if (dueAt <= now) return review(null);
  return { state: "ready", readyAt, dueAt, reason: null };
}

function stay(state: GateState, dueAt: Date | null): Step {
  return { state, readyAt: null, dueAt, reason: null };
}

function review(reason: string | null): Step {
  return { state: "reviewing", readyAt: null, dueAt: null, reason };
}

function end(state: GateState, reason: string): Step {
  return { state, readyAt: null, dueAt: null, reason };
}

function after(from: Date, ms: number): Date {
  return new Date(from.getTime() + ms);
}
