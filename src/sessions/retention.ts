import type { SessionDeps } from "./deps.ts";

const DAY_MS = 86_400_000;
/** Batches of one run; what is left is done by the next one. */
const BATCHES = 100;

/** Deletes ended sessions and old deliveries. */
export async function expire(deps: SessionDeps): Promise<void> {
  const { retentionDays } = deps.settings;
  if (retentionDays === 0) return;
  const cutoff = new Date(deps.clock.now().getTime() - retentionDays * DAY_MS);
  for (let batch = 0; batch < BATCHES; batch += 1) {
    const ids = await deps.retention.deleteSessions(cutoff);
    if (ids.length > 0) await deps.engine.forget(ids);
    const deliveries = await deps.retention.deleteDeliveries(cutoff);
    if (ids.length === 0 && deliveries === 0) return;
    deps.log.info({ sessions: ids.length, deliveries }, "expired data was deleted");
  }
}
