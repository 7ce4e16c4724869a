import { createPace } from "./report/pace.ts";
import { startPlanTeller } from "./plans/teller.ts";
import { startReporter } from "./reporter.ts";
import type { ReporterDeps } from "./reporter.ts";

/** Starts what tells on the forge of sessions and of plans; all that they write is counted together. */
export async function openTellers(
  deps: Omit<ReporterDeps, "pace"> & Omit<Parameters<typeof startPlanTeller>[0], "pace">,
  parts: AsyncDisposableStack,
): Promise<{ ring(): void }> {
  const pace = createPace(() => deps.clock.now().getTime());
  const reporter = parts.use(await startReporter({ ...deps, pace }));
  const teller = parts.use(await startPlanTeller({ ...deps, pace }));
  return {
    ring() {
      reporter.ring();
      teller.ring();
    },
  };
}
