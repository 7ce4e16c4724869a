import type { Logger } from "pino";

type Write = (entry: unknown, metadata?: { error?: unknown; span?: unknown }) => void;

/** DBOS's own words, in the hub's log. What it tells as information is of use to its developers only. */
export function engineLog(log: Logger): Record<"info" | "debug" | "warn" | "error", Write> {
  const child = log.child({ part: "engine" });
  return {
    info: (entry) => child.debug({ entry }, "engine reports"),
    debug: (entry) => child.trace({ entry }, "engine reports"),
    warn: (entry) => child.warn({ entry }, "engine warns"),
    error: (entry, metadata) =>
      child.error({ entry: String(entry), err: metadata?.error }, "engine failed"),
  };
}
