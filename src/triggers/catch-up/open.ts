import type { Database } from "../../store/database.ts";
import { createDeliveryStore } from "../../store/deliveries/deliveries.ts";
import { createDeliveryCheckpoints } from "../../store/deliveries/delivery-checkpoints.ts";
import { createDeliveryLog } from "../../store/deliveries/delivery-log.ts";
import { startCatchUp } from "./catch-up.ts";
import type { CatchUpDeps } from "./catch-up.ts";

const SETTINGS = { leaseMs: 120_000, pollMs: 1_000 };

/** Begins to ask for what did not arrive; `everyMs` 0: never asks. */
export async function openCatchUp(
  options: Pick<CatchUpDeps, "forge" | "onDelivery" | "executorId" | "log"> & {
    database: Database;
    everyMs: number;
  },
): Promise<AsyncDisposable | null> {
  const { database, everyMs, ...common } = options;
  if (everyMs === 0) return null;
  return await startCatchUp({
    ...common,
    deliveries: createDeliveryStore(database),
    known: createDeliveryLog(database),
    checkpoints: createDeliveryCheckpoints(database),
    settings: { ...SETTINGS, everyMs },
  });
}
