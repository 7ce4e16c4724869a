import { terminalText } from "../../core/terminal-text.ts";
import type { DiffOptions } from "../commands/diff.ts";
import { connect } from "../connection/connect.ts";
import { findSession } from "../connection/find-session.ts";
import { printJson } from "../screen/json.ts";
import { style } from "../screen/style.ts";

/** As it is for programs; what could steer a terminal is taken out where somebody looks. */
export async function diff(text: string, options: DiffOptions): Promise<void> {
  const hub = await connect(options);
  const { id, completedAt } = await findSession(hub, text);
  const found = await hub.diff(id);
  if (options.json === true) return printJson({ id, diff: found });
  if (found === "")
    process.stderr.write(
      completedAt === null ? "It has not ended yet.\n" : "It has changed nothing.\n",
    );
  if (!process.stdout.isTTY) process.stdout.write(found);
  else for (const line of terminalText(found).split("\n")) process.stdout.write(`${shown(line)}\n`);
}

function shown(line: string): string {
  if (/^(diff |index |--- |\+\+\+ )/.test(line)) return style("bold", line);
  if (line.startsWith("@@")) return style("cyan", line);
  if (line.startsWith("+")) return style("green", line);
  return line.startsWith("-") ? style("red", line) : line;
}
