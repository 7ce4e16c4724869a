import { HubError } from "../../core/errors.ts";

/** Lets some pieces of work run at once and some more wait; the rest fail as `unavailable`. */
export interface Slots {
  /** @param who Whoever asks for much waits for itself, not for the others. */
  run<Result>(who: string, work: () => Promise<Result>): Promise<Result>;
}

export function createSlots(limits: {
  max: number;
  maxWaiting: number;
  /** The same two for each `who`. */
  maxEach: number;
  maxWaitingEach: number;
}): Slots {
  const running = new Map<string, number>();
  const waiting: { who: string; wake(): void }[] = [];
  let busy = 0;

  const fits = (who: string) => busy < limits.max && (running.get(who) ?? 0) < limits.maxEach;

  function enter(who: string): void {
    busy += 1;
    running.set(who, (running.get(who) ?? 0) + 1);
  }

  function leave(who: string): void {
    busy -= 1;
    const left = (running.get(who) ?? 1) - 1;
    if (left === 0) running.delete(who);
    else running.set(who, left);
    // One place became free, so one at the most can take it.
    const index = waiting.findIndex((one) => fits(one.who));
    const [next] = index === -1 ? [] : waiting.splice(index, 1);
    if (next === undefined) return;
    enter(next.who);
    next.wake();
  }

  async function wait(who: string): Promise<void> {
    const own = waiting.filter((one) => one.who === who).length;
    if (waiting.length >= limits.maxWaiting || own >= limits.maxWaitingEach)
      throw new HubError("unavailable", "Too many git requests", { retryAfterSeconds: 5 });
    // Whoever wakes us has entered for us.
    await new Promise<void>((wake) => waiting.push({ who, wake }));
  }

  return {
    async run(who, work) {
      if (fits(who)) enter(who);
      else await wait(who);
      try {
        return await work();
      } finally {
        leave(who);
      }
    },
  };
}
