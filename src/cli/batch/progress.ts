import { isFinal } from "../../core/session.ts";
import { createScreen } from "../screen/screen.ts";
import { statusText } from "../screen/style.ts";
import { screenWidth, table } from "../screen/table.ts";
import { terminalLine } from "../../core/terminal-text.ts";
import { duration } from "../screen/time.ts";
import type { Made } from "./create-all.ts";

const BAR = 30;

export interface Progress extends Disposable {
  show(made: Made[]): void;
}

/** On a terminal what all are doing, over and over; else one line for each change, beside the output. */
export function showProgress(quiet: boolean): Progress {
  if (process.stdout.isTTY && !quiet) {
    const screen = createScreen();
    return {
      show: (made) => screen.show(`${bar(made)}\n${progressTable(made)}`),
      [Symbol.dispose]: () => screen.clear(),
    };
  }
  const before = new Map<string, string>();
  return {
    show(made) {
      for (const { task, session } of made) {
        if (before.get(task.id) === session.status) continue;
        before.set(task.id, session.status);
        process.stderr.write(`${task.id}: ${session.status} (${session.id})\n`);
      }
    },
    [Symbol.dispose]: () => undefined,
  };
}

/** What has come of all. */
export function printSummary(made: Made[]): void {
  process.stdout.write(progressTable(made));
}

function bar(made: Made[]): string {
  const ended = made.filter(({ session }) => isFinal(session.status)).length;
  const full = Math.floor((BAR * ended) / made.length);
  return `${"█".repeat(full)}${"░".repeat(BAR - full)}  ${ended} of ${made.length} have ended`;
}

function progressTable(made: Made[]): string {
  const rows = made.map(({ task, session }) => [
    task.id,
    statusText(session.status),
    session.id,
    session.startedAt === null ? "" : took(session.startedAt, session.completedAt),
    session.usage.costUsd === 0 ? "" : `$${session.usage.costUsd.toFixed(2)}`,
    terminalLine(session.error ?? session.workBranch ?? "", Math.max(20, screenWidth() - 90)),
  ]);
  return table(["TASK", "STATUS", "SESSION", "TIME", "COST", ""], rows);
}

function took(startedAt: string, completedAt: string | null): string {
  const end = completedAt === null ? Date.now() : Date.parse(completedAt);
  return duration(end - Date.parse(startedAt));
}
