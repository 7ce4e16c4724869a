import { readFile } from "node:fs/promises";
import { parse, YAMLError } from "yaml";
import { Plan, PLAN_BOUNDS, planFault } from "../../core/plan.ts";
import { CommandError } from "../exit.ts";

/** A plan from a file in YAML or JSON. */
export async function readPlan(path: string): Promise<Plan> {
  try {
    return parsePlan(await readFile(path, "utf8"));
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const why = "code" in error ? `cannot be read (${String(error.code)})` : error.message;
    throw new CommandError("usage", `${path}: ${why}`, { cause: error });
  }
}

/** @throws CommandError with the place of what is wrong, as the hub would say it. */
export function parsePlan(text: string): Plan {
  const parsed = Plan.safeParse(readYaml(text));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const path = issue?.path.map(String).join(".") ?? "";
    throw new CommandError("usage", `${path === "" ? "the plan" : path}: ${issue?.message ?? ""}`);
  }
  const fault = planFault(parsed.data, { maxTasks: PLAN_BOUNDS.tasks });
  if (fault === null) return parsed.data;
  throw new CommandError("usage", `${fault.path}: ${fault.reason}`);
}

function readYaml(text: string): unknown {
  try {
    return parse(text, { maxAliasCount: 100 });
  } catch (error) {
    if (!(error instanceof YAMLError || error instanceof ReferenceError)) throw error;
    throw new CommandError("usage", error.message, { cause: error });
  }
}
