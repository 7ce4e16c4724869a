import { setTimeout as pause } from "node:timers/promises";
import type { Hub, OrchestrationResource } from "../../client/hub.ts";
import type { ApproveOptions, PlanOptions } from "../commands/plan.ts";
import { connect } from "../connection/connect.ts";
import { createPatience } from "../connection/patience.ts";
import { EXIT } from "../exit.ts";
import { untilInterrupted } from "../screen/interrupt.ts";
import { printJson } from "../screen/json.ts";
import { createScreen } from "../screen/screen.ts";
import { isOver } from "../../core/orchestration.ts";
import { findOrchestration } from "./find-orchestration.ts";
import { planText } from "./show.ts";

const LOOK_MS = 1_000;

/** Has the plan done that was read just now: another version is refused. */
export async function approvePlan(text: string, options: ApproveOptions): Promise<void> {
  const hub = await connect(options);
  const { id, planVersion } = await findOrchestration(hub, text);
  const approved = await hub.approvePlan(id, options.planVersion ?? planVersion);
  if (options.follow === true) {
    process.exitCode = await follow(hub, id, options.json === true);
    return;
  }
  if (options.json === true) printJson(approved);
  else process.stdout.write(planText(approved));
}

export async function cancelPlan(text: string, options: PlanOptions): Promise<void> {
  const hub = await connect(options);
  const { id } = await findOrchestration(hub, text);
  const cancelled = await hub.cancelOrchestration(id);
  if (options.json === true) printJson(cancelled);
  else process.stdout.write(planText(cancelled));
}

/** Until it is over, or somebody has seen enough; it goes on then. */
async function follow(hub: Hub, id: string, json: boolean): Promise<number> {
  using signal = untilInterrupted();
  const patiently = createPatience(signal);
  const screen = createScreen();
  let now: OrchestrationResource = await hub.orchestration(id);
  for (;;) {
    if (!json) screen.show(planText(now));
    if (signal.aborted) {
      process.stderr.write(`\nIt goes on. claude-hub plan show ${id} shows it.\n`);
      return EXIT.interrupted.code;
    }
    if (isOver(now.state)) break;
    await pause(LOOK_MS, undefined, { signal }).catch(() => undefined);
    now = (await patiently(() => hub.orchestration(id))) ?? now;
  }
  if (json) printJson(now);
  return now.state === "completed" ? EXIT.ok.code : EXIT.failed.code;
}
