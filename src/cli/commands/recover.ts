import type { Command } from "commander";
import { withConnection } from "./options.ts";
import type { ConnectionOptions } from "./options.ts";

export interface RecoverOptions extends ConnectionOptions {
  withDependents?: boolean;
  json?: boolean;
}

export function addRecover(program: Command): void {
  const command = program
    .command("recover")
    .description("start again what failed, was cancelled, or was never started")
    .argument("<id...>", "ids of sessions, or their beginnings")
    .option("--with-dependents", "and what was cancelled because it depends on them")
    .option("--json", "print the sessions that work on it now, as JSON");
  withConnection(command).action(async (ids: string[], options: RecoverOptions) => {
    const { recover } = await import("../sessions/recover.ts");
    await recover(ids, options);
  });
  const sync = program
    .command("sync")
    .description(
      "say what waits and runs; the hub itself compares it with its sandboxes, every second",
    )
    .option("--json", "print the numbers as JSON");
  withConnection(sync).action(async (options: ConnectionOptions & { json?: boolean }) => {
    const { sync: count } = await import("../sessions/sync.ts");
    await count(options);
  });
}
