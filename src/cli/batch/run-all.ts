import { setTimeout as pause } from "node:timers/promises";
import type { Hub, SessionResource } from "../../client/hub.ts";
import { HubRefusal } from "../../client/refusal.ts";
import { isFinal } from "../../core/session.ts";
import { createPatience } from "../connection/patience.ts";
import type { Made } from "./create-all.ts";
import type { Progress } from "./progress.ts";

const LOOK_MS = 1_000;
/** So many are asked for at the same time. */
const AT_ONCE = 8;

/** Starts sessions, no more than so many side by side, and looks at them until all have ended. */
export async function runAll(
  hub: Pick<Hub, "get" | "start">,
  made: Made[],
  options: { concurrent: number; signal: AbortSignal; progress: Progress },
): Promise<void> {
  const { signal, progress } = options;
  const patiently = createPatience(signal);
  while (!signal.aborted) {
    await patiently(async () => {
      for (const one of next(made, options.concurrent))
        one.session = await start(hub, one.session.id);
      await look(hub, made);
    });
    progress.show(made);
    if (made.every(({ session }) => isFinal(session.status))) return;
    await pause(LOOK_MS, undefined, { signal }).catch(() => undefined);
  }
}

/** One that was started already, by an answer that was lost, is as it shall be. */
async function start(hub: Pick<Hub, "get" | "start">, id: string): Promise<SessionResource> {
  try {
    return (await hub.start(id)).session;
  } catch (error) {
    if (error instanceof HubRefusal && error.status === 409) return await hub.get(id);
    throw error;
  }
}

/** What may be started now: all that can, or those that need nothing more as far as there is room. */
function next(made: Made[], concurrent: number): Made[] {
  const waiting = made.filter(
    ({ session }) => session.requestedAt === null && !isFinal(session.status),
  );
  if (concurrent === Infinity) return waiting;
  const completed = new Set(
    made.filter(({ session }) => session.status === "completed").map(({ task }) => task.id),
  );
  const active = made.filter(
    ({ session }) => session.requestedAt !== null && !isFinal(session.status),
  );
  const ready = waiting.filter(({ task }) => task.needs.every((id) => completed.has(id)));
  return ready.slice(0, Math.max(0, concurrent - active.length));
}

async function look(hub: Pick<Hub, "get">, made: Made[]): Promise<void> {
  const open = made.filter(({ session }) => !isFinal(session.status));
  for (let at = 0; at < open.length; at += AT_ONCE)
    await Promise.all(
      open.slice(at, at + AT_ONCE).map(async (one) => {
        one.session = await hub.get(one.session.id);
      }),
    );
}
