import type { Finding } from "../doctor/finding.ts";

const SIGNS = { ok: "ok     ", warning: "warning", failed: "FAILED " };

/** A finding for people; what mends it stands below. */
export function lineOf({ check, state, found, mend }: Finding): string {
  const line = `${SIGNS[state]}  ${check.padEnd(9)} ${found}\n`;
  return mend === null ? line : `${line}                   → ${mend}\n`;
}
