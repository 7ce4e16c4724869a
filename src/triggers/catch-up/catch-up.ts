import { isNotFound } from "../../core/errors.ts";
import type { Logger } from "pino";
import { DeliveryHead, LISTENED, NOT_LISTENED } from "../../core/delivery.ts";
import { Repository } from "../../core/repository.ts";
import { startRounds } from "../../events/rounds.ts";
import type { ForgeHook, Sent } from "../../forge/forge.ts";
import type { DeliveryCheckpoints } from "../../store/deliveries/delivery-checkpoints.ts";
import type { DeliveryLog } from "../../store/deliveries/delivery-log.ts";
import type { DeliveryStore } from "../../store/deliveries/deliveries.ts";
import { missedOf } from "./missed.ts";

export interface CatchUpDeps {
  forge: { hooks(repositories: readonly Repository[]): Promise<ForgeHook[]> };
  deliveries: Pick<DeliveryStore, "insert" | "record">;
  known: Pick<DeliveryLog, "known" | "repositories">;
  checkpoints: DeliveryCheckpoints;
  /** Something waits to be worked off. */
  onDelivery(): void;
  settings: { everyMs: number; leaseMs: number; pollMs: number };
  executorId: string;
  log: Logger;
}

const PROVIDER = "github";
/** Without an App each has to be asked: so many, those heard of last. */
const REPOSITORIES = 30;
/** What was on its way when it was looked at last has arrived or failed by now. */
const OVERLAP_MS = 600_000;
/** GitHub remembers no longer. */
const REMEMBERED_MS = 3 * 86_400_000;
/** Of a hundred. */
const PAGES = 200;
/** After a failure. */
const RETRY_MS = 60_000;

/** Asks the forge for deliveries that did not arrive: at once, and again and again, one hub at a time. */
export async function startCatchUp(deps: CatchUpDeps): Promise<AsyncDisposable> {
  const { checkpoints, executorId, settings, log } = deps;
  await checkpoints.release(executorId);
  let isFirst = true;

  async function look(signal: AbortSignal): Promise<void> {
    const { everyMs, leaseMs } = settings;
    if (!(await checkpoints.claim({ executorId, leaseMs, now: isFirst }))) return;
    isFirst = false;
    let pauseMs = Math.min(everyMs, RETRY_MS);
    try {
      const count = await catchUp(deps, signal);
      if (count > 0) log.info({ deliveries: count }, "missed deliveries were taken in");
      pauseMs = everyMs;
    } finally {
      await checkpoints.leave({ executorId, pauseMs });
    }
  }

  return startRounds({
    round: look,
    pollMs: settings.pollMs,
    failed: "missed deliveries could not be asked for",
    log,
  });
}

/** Answers how many were taken in. */
async function catchUp(deps: CatchUpDeps, signal: AbortSignal): Promise<number> {
  const names = await deps.known.repositories(PROVIDER, REPOSITORIES);
  const repositories = names.filter((name) => Repository.safeParse(name).success);
  let count = 0;
  for (const hook of await deps.forge.hooks(repositories)) {
    signal.throwIfAborted();
    count += await catchUpWith(deps, hook, signal);
  }
  return count;
}

async function catchUpWith(
  deps: CatchUpDeps,
  hook: ForgeHook,
  signal: AbortSignal,
): Promise<number> {
  const { checkpoints } = deps;
  const before = await checkpoints.of(hook.name);
  const sent = await sentSince(hook, before ?? null, before === undefined ? 1 : PAGES);
  const newest = sent[0]?.deliveredAt ?? before ?? null;
  const known = await deps.known.known(PROVIDER, [
    ...new Set(sent.map(({ deliveryId }) => deliveryId)),
  ]);
  if (before === undefined) {
    // What was sent before this hub was there was not meant for it; and a hook that it has never heard of may be another's.
    if (hook.isOwn || known.size > 0) await checkpoints.reached(hook.name, newest);
    return 0;
  }
  let count = 0;
  for (const one of missedOf(sent, known)) {
    signal.throwIfAborted();
    const { executorId, settings } = deps;
    // Another hub goes on when this one has taken too long.
    if (!(await checkpoints.hold({ executorId, leaseMs: settings.leaseMs }))) return count;
    if (await takeIn(deps, hook, one)) count += 1;
  }
  await checkpoints.reached(hook.name, newest);
  return count;
}

/** The newest first; by the forge's clock alone, since the hub's may go wrong. */
async function sentSince(hook: ForgeHook, before: Date | null, pages: number): Promise<Sent[]> {
  const all: Sent[] = [];
  let cursor: string | null = null;
  for (let page = 0; page < pages; page += 1) {
    const found = await hook.sent(cursor);
    all.push(...found.sent);
    const newest = all[0]?.deliveredAt.getTime() ?? 0;
    const since = Math.max((before?.getTime() ?? 0) - OVERLAP_MS, newest - REMEMBERED_MS);
    const isEnough = found.sent.some(({ deliveredAt }) => deliveredAt.getTime() < since);
    if (isEnough || found.next === null)
      return all.filter(({ deliveredAt }) => deliveredAt.getTime() >= since);
    cursor = found.next;
  }
  return all;
}

/** As if it had come. */
async function takeIn(deps: CatchUpDeps, hook: ForgeHook, sent: Sent): Promise<boolean> {
  const whole = await wholeOf(deps, hook, sent);
  if (whole === null) return false;
  const head = DeliveryHead.safeParse(whole.payload);
  if (!head.success) return false;
  const delivery = {
    provider: PROVIDER,
    deliveryId: sent.deliveryId,
    event: whole.event,
    ...head.data,
    payload: Buffer.from(JSON.stringify(whole.payload)),
    receivedAt: sent.deliveredAt.toISOString(),
  };
  if (!LISTENED.has(whole.event)) {
    await deps.deliveries.record(delivery, NOT_LISTENED);
    return false;
  }
  const isNew = await deps.deliveries.insert(delivery);
  if (isNew) deps.onDelivery();
  return isNew;
}

async function wholeOf({ log }: CatchUpDeps, hook: ForgeHook, { id, deliveryId }: Sent) {
  try {
    return await hook.whole(id);
  } catch (error) {
    if (!isNotFound(error)) throw error;
    log.warn({ err: error, deliveryId }, "a missed delivery is not there any more");
    return null;
  }
}
