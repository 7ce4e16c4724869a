import { terminalLine } from "../../core/terminal-text.ts";
import type { ApprovalOptions } from "../commands/approvals.ts";
import { connect } from "../connection/connect.ts";
import { findSession } from "../connection/find-session.ts";
import { CommandError } from "../exit.ts";
import { printJson } from "../screen/json.ts";
import { table } from "../screen/table.ts";
import { moment } from "../screen/time.ts";

export async function showApprovals(text: string, options: ApprovalOptions): Promise<void> {
  const hub = await connect(options);
  const { id } = await findSession(hub, text);
  const approvals = await hub.approvals(id);
  if (options.json === true) return printJson(approvals);
  if (approvals.length === 0) process.stdout.write("It has asked nothing.\n");
  else
    process.stdout.write(
      table(
        ["NUMBER", "ANSWER", "UNTIL", "WHAT", ""],
        approvals.map(({ number, decision, dueAt, subject, detail }) => [
          String(number),
          decision ?? "open",
          moment(dueAt),
          terminalLine(subject, 60),
          terminalLine(detail, 100),
        ]),
      ),
    );
}

/** Of all sessions. */
export async function showOpen(options: ApprovalOptions): Promise<void> {
  const hub = await connect(options);
  const approvals = await hub.openApprovals();
  if (options.json === true) return printJson(approvals);
  if (approvals.length === 0) process.stdout.write("Nothing is asked.\n");
  else
    process.stdout.write(
      table(
        ["SESSION", "NUMBER", "REPOSITORY", "UNTIL", "WHAT", ""],
        approvals.map(({ sessionId, number, repository, dueAt, subject, detail }) => [
          sessionId,
          String(number),
          repository,
          moment(dueAt),
          terminalLine(subject, 60),
          terminalLine(detail, 60),
        ]),
      ),
    );
}

/** Only a question that is named, or the only one that is open: nothing is allowed by mistake. */
export async function decide(
  text: string,
  number: string | undefined,
  options: ApprovalOptions & { decision: "allow" | "deny" },
): Promise<void> {
  const hub = await connect(options);
  const { id } = await findSession(hub, text);
  const approvals = await hub.approvals(id);
  const meant = approvals.filter((one) =>
    number === undefined ? one.decision === null : String(one.number) === number,
  );
  const [approval] = meant;
  if (approval === undefined)
    throw new CommandError("notFound", `session ${id} has no such question that is open`);
  if (meant.length > 1)
    throw new CommandError("usage", `session ${id} asks several things; say which (approvals)`);
  const { decision, note } = options;
  const answered = await hub.decide(id, approval.id, {
    decision,
    ...(note === undefined ? {} : { note }),
  });
  if (options.json === true) printJson(answered);
  else
    process.stdout.write(
      `${decision === "allow" ? "Allowed" : "Denied"}: ${terminalLine(approval.subject, 100)}\n`,
    );
}
