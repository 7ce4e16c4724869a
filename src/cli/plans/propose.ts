import { setTimeout as pause } from "node:timers/promises";
import type { Hub, OrchestrationResource } from "../../client/hub.ts";
import { clientEnvironment } from "../../config/client-environment.ts";
import type { ProposeOptions } from "../commands/plan.ts";
import { connect } from "../connection/connect.ts";
import { createPatience } from "../connection/patience.ts";
import { EXIT } from "../exit.ts";
import { untilInterrupted } from "../screen/interrupt.ts";
import { printJson } from "../screen/json.ts";
import { style } from "../screen/style.ts";
import { wholeName } from "../sessions/repository-name.ts";
import { readPlan } from "./plan-file.ts";
import { planText } from "./show.ts";

const LOOK_MS = 1_000;

/** Asks for a plan, and shows it when it is there. */
export async function proposePlan(
  repository: string,
  prompt: string,
  options: ProposeOptions,
): Promise<void> {
  const plan = options.file === undefined ? ("propose" as const) : await readPlan(options.file);
  const hub = await connect(options);
  const made = await hub.orchestrate({
    autoStart: options.go === true,
    plan,
    project: {
      repository: wholeName(repository, clientEnvironment().owner),
      requirements: prompt,
      ...(options.branch === undefined ? {} : { branch: options.branch }),
    },
  });
  if (options.wait === false) {
    if (options.json === true) printJson(made);
    else process.stdout.write(`${style("bold", made.orchestrationId)}  ${made.state}\n`);
    return;
  }
  using signal = untilInterrupted();
  const planned = await untilPlanned(hub, made.orchestrationId, signal);
  if (planned === null) {
    process.stderr.write(`\nIt goes on. claude-hub plan show ${made.orchestrationId} shows it.\n`);
    process.exitCode = EXIT.interrupted.code;
    return;
  }
  if (options.json === true) printJson(planned);
  else {
    process.stdout.write(planText(planned));
    if (planned.state === "proposed")
      process.stderr.write(
        `\nclaude-hub plan edit ${planned.id} changes it, claude-hub plan approve ${planned.id} has it done.\n`,
      );
  }
  if (planned.state === "failed" || planned.state === "cancelled")
    process.exitCode = EXIT.failed.code;
}

/** Null: interrupted. */
async function untilPlanned(
  hub: Hub,
  id: string,
  signal: AbortSignal,
): Promise<OrchestrationResource | null> {
  const patiently = createPatience(signal);
  while (!signal.aborted) {
    const now = await patiently(() => hub.orchestration(id));
    if (now !== null && now.state !== "proposing") return now;
    await pause(LOOK_MS, undefined, { signal }).catch(() => undefined);
  }
  return null;
}
