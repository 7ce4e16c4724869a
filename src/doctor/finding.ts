/** What one check found: one sentence, and for what is wrong the one thing that mends it. */
export interface Finding {
  check: string;
  state: "ok" | "warning" | "failed";
  found: string;
  /** A command, or what to write where; null: nothing is wrong. */
  mend: string | null;
}

export function fine(check: string, found: string): Finding {
  return { check, state: "ok", found, mend: null };
}

export function warning(check: string, found: string, mend: string): Finding {
  return { check, state: "warning", found, mend };
}

export function failure(check: string, found: string, mend: string): Finding {
  return { check, state: "failed", found, mend };
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
