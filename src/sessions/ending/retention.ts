import type { SessionDeps } from "../deps.ts";

const DAY_MS = 86_400_000;
/** Batches of one run; what is left is done by the next one. */
const BATCHES = 100;
/** GitHub sends again what is up to three days old: until then a delivery is known, whatever is set. */
const REDELIVERED_DAYS = 4;

/** Deletes ended sessions, old deliveries, and what is known of old writes on the forge. */
export async function expire(deps: SessionDeps): Promise<void> {
  const { retentionDays, deliveryRetentionDays } = deps.settings;
  const cutoff = (days: number) => new Date(deps.clock.now().getTime() - days * DAY_MS);
  const isKept = retentionDays === 0;
  // A delivery that outlived its session would make it again when it is replayed.
  const deliveryDays = Math.max(
    REDELIVERED_DAYS,
    isKept ? deliveryRetentionDays : Math.min(retentionDays, deliveryRetentionDays),
  );
  // The keys of what a delivery has written outlive it, too.
  const writeDays = Math.max(retentionDays, deliveryDays + REDELIVERED_DAYS);
  for (let batch = 0; batch < BATCHES; batch += 1) {
    const ids = isKept ? [] : await deps.retention.deleteSessions(cutoff(retentionDays));
    if (ids.length > 0) await deps.engine.forget(ids);
    const deliveries = await deps.retention.deleteDeliveries(cutoff(deliveryDays));
    const writes = isKept ? 0 : await deps.retention.deleteWrites(cutoff(writeDays));
    const traces = isKept ? 0 : await deps.retention.deleteTraces(cutoff(writeDays));
    if (ids.length === 0 && deliveries + writes + traces === 0) return;
    deps.log.info({ sessions: ids.length, deliveries, writes, traces }, "expired data was deleted");
  }
}
