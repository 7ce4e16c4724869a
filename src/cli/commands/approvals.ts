import type { Command } from "commander";
import { withConnection } from "./options.ts";
import type { ConnectionOptions } from "./options.ts";

export interface ApprovalOptions extends ConnectionOptions {
  note?: string;
  json?: boolean;
}

export function addApprovals(program: Command): void {
  const list = program
    .command("approvals")
    .description("show what a session has asked people, or what all ask now")
    .argument("[id]", "a session's id, or its beginning; all when it is missing")
    .option("--json", "print the questions as JSON");
  withConnection(list).action(async (id: string | undefined, options: ApprovalOptions) => {
    const { showApprovals, showOpen } = await import("../sessions/approvals.ts");
    await (id === undefined ? showOpen(options) : showApprovals(id, options));
  });
  addDecision(program, "approve", "allow", "allow what a session asks for");
  addDecision(program, "deny", "deny", "deny what a session asks for");
}

function addDecision(
  program: Command,
  name: string,
  decision: "allow" | "deny",
  description: string,
): void {
  const command = program
    .command(name)
    .description(description)
    .argument("<id>", "a session's id, or its beginning")
    .argument("[number]", "which question; the only open one when it is missing")
    .option("--note <text>", "why; the agent reads it")
    .option("--json", "print the question, answered, as JSON");
  withConnection(command).action(
    async (id: string, number: string | undefined, options: ApprovalOptions) => {
      const { decide } = await import("../sessions/approvals.ts");
      await decide(id, number, { ...options, decision });
    },
  );
}
