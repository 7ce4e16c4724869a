import type { Redaction } from "../../core/redaction.ts";
import type { Database } from "../../store/database.ts";
import { createSessionCheckStore } from "../../store/threads/session-checks.ts";
import type { SessionCheckStore } from "../../store/threads/session-checks.ts";
import { startChecker } from "./checker.ts";
import type { CheckerDeps } from "./checker.ts";

const SWEEP = { leaseMs: 120_000, pollMs: 1_000 };

/** Has checks tell of sessions. */
export async function openChecks(
  options: Omit<CheckerDeps, "checks" | "redact" | "settings"> & {
    database: Database;
    redaction: Redaction;
    serverUrl: string;
  },
  parts: AsyncDisposableStack,
): Promise<{ checks: SessionCheckStore; ring(): void }> {
  const { database, redaction, serverUrl, ...common } = options;
  const checks = createSessionCheckStore(database);
  const checker = parts.use(
    await startChecker({
      ...common,
      checks,
      redact: (text) => redaction.text(text),
      settings: { ...SWEEP, serverUrl },
    }),
  );
  return { checks, ring: () => checker.ring() };
}
