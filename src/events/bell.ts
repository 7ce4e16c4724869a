/** Wakes one sleeper. A ring that comes while nobody sleeps wakes the next one at once. */
export interface Bell {
  ring(): void;
  /** Resolves at the next ring, or when the signal aborts. */
  rung(): Promise<void>;
  close(): void;
}

export function createBell(signal: AbortSignal): Bell {
  let hasRung = false;
  let wake: (() => void) | undefined;
  const ring = () => {
    hasRung = true;
    wake?.();
  };
  signal.addEventListener("abort", ring, { once: true });
  return {
    ring,
    async rung() {
      if (!hasRung && !signal.aborted) await new Promise<void>((resolve) => (wake = resolve));
      hasRung = false;
      wake = undefined;
    },
    close: () => signal.removeEventListener("abort", ring),
  };
}
