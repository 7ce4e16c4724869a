import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { clientEnvironment } from "../../config/client-environment.ts";
import type { PlanOptions } from "../commands/plan.ts";
import { connect } from "../connection/connect.ts";
import { CommandError } from "../exit.ts";
import { printJson } from "../screen/json.ts";
import { findOrchestration } from "./find-orchestration.ts";
import { parsePlan } from "./plan-file.ts";
import { planText } from "./show.ts";

/** Has a person change the plan that was read; what somebody else has changed meanwhile is not written over. */
export async function editPlan(text: string, options: PlanOptions): Promise<void> {
  const hub = await connect(options);
  const { id, state, plan, planVersion } = await findOrchestration(hub, text);
  if (plan === null || state !== "proposed")
    throw new CommandError(
      "refused",
      `orchestration ${id} has no plan that waits (it is ${state})`,
    );
  const dir = await mkdtemp(join(tmpdir(), "claude-hub-plan-"));
  const path = join(dir, "plan.yaml");
  const before = stringify(plan, { lineWidth: 0 });
  await writeFile(path, before, { mode: 0o600 });
  try {
    await runEditor(path);
    const after = await readFile(path, "utf8");
    if (after === before) {
      process.stderr.write("Nothing was changed.\n");
    } else {
      const change = { plan: parsePlan(after), version: planVersion };
      const changed = await hub.changePlan(id, change);
      if (options.json === true) printJson(changed);
      else process.stdout.write(planText(changed));
    }
  } catch (error) {
    process.stderr.write(`claude-hub: what was written is kept in ${path}\n`);
    throw error;
  }
  await rm(dir, { recursive: true });
}

async function runEditor(path: string): Promise<void> {
  const { editor } = clientEnvironment();
  // A command with arguments, as every program takes it that starts an editor.
  const child = spawn("/bin/sh", ["-c", `${editor} "$1"`, "sh", path], { stdio: "inherit" });
  await once(child, "exit");
  const { exitCode } = child;
  if (exitCode !== 0)
    throw new CommandError("usage", `${editor} ended with ${exitCode ?? "a signal"}`);
}
