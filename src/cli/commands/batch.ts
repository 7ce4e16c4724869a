import type { Command } from "commander";
import { wholeFrom, withConnection } from "./options.ts";
import type { ConnectionOptions } from "./options.ts";

export interface BatchOptions extends ConnectionOptions {
  concurrent?: number;
  dryRun?: boolean;
  wait?: boolean;
  json?: boolean;
}

interface OlderOptions extends BatchOptions {
  parallel: boolean;
  concurrent: number;
}

export function addBatch(program: Command): void {
  const command = program
    .command("batch")
    .description("make a session of each task of a file, and wait for all of them")
    .argument("<file>", "tasks in YAML or JSON (docs/batch.schema.json); `-`: standard input")
    .option("-c, --concurrent <number>", "at most so many side by side", wholeFrom(1))
    .option("--dry-run", "only show who comes after whom")
    .option("--no-wait", "start all, and do not wait for their end")
    .option("--json", "print tasks and sessions as JSON, at the end");
  withConnection(command).action(async (file: string, options: BatchOptions) => {
    const { batch } = await import("../batch/batch.ts");
    await batch(file, options);
  });
  const older = program
    .command("start-batch")
    .description("the same, one after the other")
    .argument("<file>", "tasks in YAML or JSON; `-`: standard input")
    .option("-p, --parallel", "side by side", false)
    .option("-c, --concurrent <number>", "with --parallel at most so many", wholeFrom(1), 2)
    .option("--json", "print tasks and sessions as JSON, at the end");
  withConnection(older).action(async (file: string, { parallel, ...options }: OlderOptions) => {
    const { batch } = await import("../batch/batch.ts");
    await batch(file, { ...options, concurrent: parallel ? options.concurrent : 1 });
  });
}
