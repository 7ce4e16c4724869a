import { Option } from "commander";
import type { Command } from "commander";
import { SESSION_STATUSES } from "../../core/session-words.ts";
import { wholeFrom, withConnection } from "./options.ts";
import type { ConnectionOptions } from "./options.ts";

export interface ListOptions extends ConnectionOptions {
  status?: string;
  repo?: string;
  limit: number;
  json?: boolean;
  watch?: boolean;
}

/** `stopped` is what the older command line called it. */
const STATUSES = [...SESSION_STATUSES, "stopped"];

export function addList(program: Command): void {
  const command = program
    .command("list")
    .alias("ls")
    .description("list sessions, the newest first")
    .addOption(new Option("-s, --status <status>", "those of one status").choices(STATUSES))
    .option("-r, --repo <repo>", "those of one repository; without an owner: whose name has it")
    .option("-l, --limit <number>", "at most so many", wholeFrom(1), 10)
    .option("-w, --watch", "look again and again, until interrupted")
    .option("--json", "print them as JSON; with --watch one line each time");
  withConnection(command).action(async (options: ListOptions) => {
    const { list } = await import("../sessions/list.ts");
    await list(options);
  });
}
