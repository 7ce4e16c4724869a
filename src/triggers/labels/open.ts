import type { Config } from "../../config/config.ts";
import type { Database } from "../../store/database.ts";
import { createLabelRunStore } from "../../store/threads/label-runs.ts";
import { createSpendingStore } from "../../store/spending/spending.ts";
import type { Labelling } from "../deps.ts";
import type { SettingsSource } from "../settings/source.ts";
import { labelRulesOf, startLabeller } from "./labeller.ts";
import type { LabellerDeps } from "./labeller.ts";

const SWEEP = { leaseMs: 120_000, pollMs: 1_000 };

/** Has labels chosen for issues. */
export async function openLabels(
  options: Pick<LabellerDeps, "forge" | "sessions" | "executorId" | "clock" | "log"> & {
    config: Pick<Config, "labels">;
    database: Database;
    settingsFor(): Promise<SettingsSource>;
  },
  parts: AsyncDisposableStack,
): Promise<Labelling> {
  const { config, database, settingsFor, ...common } = options;
  const { confidence, maxCostUsd, perHour } = config.labels;
  const runs = createLabelRunStore(database);
  const labeller = parts.use(
    await startLabeller({
      ...common,
      runs,
      spending: createSpendingStore(database),
      bounds: { confidence, maxCostUsd },
      rulesFor: async (name) => labelRulesOf(await (await settingsFor()).of(name)),
      settings: SWEEP,
    }),
  );
  return { runs, perHour, ring: () => labeller.ring() };
}
