import type { Command } from "commander";
import { withConnection } from "./options.ts";
import type { ConnectionOptions } from "./options.ts";

export interface PlanOptions extends ConnectionOptions {
  json?: boolean;
}

export interface ProposeOptions extends PlanOptions {
  branch?: string;
  file?: string;
  go?: boolean;
  wait?: boolean;
}

export interface ApproveOptions extends PlanOptions {
  planVersion?: number;
  follow?: boolean;
}

const ID = ["<id>", "an orchestration's id, or its beginning"] as const;
const JSON_OPTION = ["--json", "print what the API answers"] as const;

export function addPlan(program: Command): void {
  const plan = program
    .command("plan")
    .description("have a request split into tasks, read and change the plan, and have it done");
  const propose = plan
    .command("propose")
    .description("have a session make a plan")
    .argument(
      "<repo>",
      "repository, as owner/name; an owner that is not named is DEFAULT_GITHUB_OWNER",
    )
    .argument("<prompt>", "what is to be done in all")
    .option("-b, --branch <branch>", "branch to begin from, rather than the default branch")
    .option(
      "--file <path>",
      "a plan that is there already, in YAML or JSON, in place of a session's",
    )
    .option("--go", "run it without being approved")
    .option("--no-wait", "do not wait for the plan")
    .option(...JSON_OPTION);
  withConnection(propose).action(async (repo: string, prompt: string, options: ProposeOptions) => {
    const { proposePlan } = await import("../plans/propose.ts");
    await proposePlan(repo, prompt, options);
  });
  const show = plan
    .command("show")
    .description("show a plan, and how far it is")
    .argument(...ID);
  withConnection(show.option(...JSON_OPTION)).action(async (id: string, options: PlanOptions) => {
    const { showPlan } = await import("../plans/show.ts");
    await showPlan(id, options);
  });
  const edit = plan
    .command("edit")
    .description("change a plan that waits to be approved, in $VISUAL or $EDITOR")
    .argument(...ID);
  withConnection(edit.option(...JSON_OPTION)).action(async (id: string, options: PlanOptions) => {
    const { editPlan } = await import("../plans/edit.ts");
    await editPlan(id, options);
  });
  addDecisions(plan);
}

function addDecisions(plan: Command): void {
  const approve = plan
    .command("approve")
    .description("have a plan done")
    .argument(...ID)
    .option("--plan-version <number>", "only if it is this version of the plan", Number)
    .option("-f, --follow", "show how far it is, and wait for its end")
    .option(...JSON_OPTION);
  withConnection(approve).action(async (id: string, options: ApproveOptions) => {
    const { approvePlan } = await import("../plans/decide.ts");
    await approvePlan(id, options);
  });
  const cancel = plan
    .command("cancel")
    .description("cancel all sessions of a plan")
    .argument(...ID)
    .option(...JSON_OPTION);
  withConnection(cancel).action(async (id: string, options: PlanOptions) => {
    const { cancelPlan } = await import("../plans/decide.ts");
    await cancelPlan(id, options);
  });
}
