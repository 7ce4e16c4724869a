import type { ForgeRepository } from "../forge/forge.ts";
import type { TriggerDeps } from "./deps.ts";
import type { ForgeEvent } from "./payload.ts";
import type { Outcome } from "./worker.ts";

/**
 * What one rule makes of a delivery: in one sentence why it does nothing, or what it would do and how. Whoever only wants
 * to know what would happen stops here, so deciding reads and writes nothing.
 */
export type Decision = string | Intention;

export interface Intention {
  /** One sentence: "begins a session", "answers with help". */
  would: string;
  /** Safe to repeat. */
  act(): Promise<Outcome>;
}

/** One reason for which the hub may do something about a delivery. Rules do not know of each other. */
export interface Rule {
  /** As it is told to people who ask what happened: `mention`, `closed`. */
  name: string;
  /** Null: it is not about such events at all. */
  decide(
    deps: TriggerDeps,
    repository: ForgeRepository,
    event: ForgeEvent,
  ): Promise<Decision | null>;
}
