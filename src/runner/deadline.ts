/** How long after the time limit the hub may still be waited for. */
export const LATE_MS = 600_000;
/** How long a paused session waits for a hub that does not answer. */
const PAUSED_MS = 86_400_000;

/** The end of the agent's time, which a pause puts off. */
export interface Deadline {
  /** Until when the hub is worth waiting for. */
  untilMs(): number;
  pause(): void;
  resume(deadlineMs: number): void;
  end(): void;
}

export function createDeadline(deadlineMs: number, onDue: () => void): Deadline {
  let due = deadlineMs;
  let isPaused = false;
  const start = () => setTimeout(onDue, Math.max(0, due - Date.now()));
  let timer = start();
  return {
    untilMs: () => (isPaused ? Date.now() + PAUSED_MS : due + LATE_MS),
    pause() {
      isPaused = true;
      clearTimeout(timer);
    },
    resume(next) {
      isPaused = false;
      due = next;
      clearTimeout(timer);
      timer = start();
    },
    end: () => clearTimeout(timer),
  };
}
