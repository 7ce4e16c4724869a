import type { Hub } from "../../client/hub.ts";
import { clientEnvironment } from "../../config/client-environment.ts";
import { planOf } from "../../core/batch-file.ts";
import type { NamedTask } from "../../core/batch-file.ts";
import { inOrder } from "../../core/plan.ts";
import type { BatchOptions } from "../commands/batch.ts";
import { connect } from "../connection/connect.ts";
import { EXIT } from "../exit.ts";
import { untilInterrupted } from "../screen/interrupt.ts";
import { printJson } from "../screen/json.ts";
import { style } from "../screen/style.ts";
import { tree } from "../screen/tree.ts";
import { terminalLine } from "../../core/terminal-text.ts";
import { createAll, requestsFor } from "./create-all.ts";
import type { Made } from "./create-all.ts";
import { readBatch } from "./read-batch.ts";
import { printSummary, showProgress } from "./progress.ts";
import { runAll } from "./run-all.ts";

/** Makes a session of each task of a file, and waits for all of them. */
export async function batch(path: string, options: BatchOptions): Promise<void> {
  const tasks = ordered(await readBatch(path));
  const requests = requestsFor(tasks, clientEnvironment().owner);
  if (options.dryRun === true) return showGraph(tasks, options.json === true);
  const hub = await connect(options);
  using signal = untilInterrupted();
  const made = await createAll(hub, requests, signal);
  if (options.wait === false) return await onlyStart(hub, made, options.json === true);
  await watchAll(hub, made, options, signal);
  if (options.json === true) printJson(made);
  else printSummary(made);
  if (signal.aborted) {
    const left = made.filter(({ session }) => session.requestedAt === null);
    process.stderr.write("\nWhat was started goes on.\n");
    for (const { session } of left) process.stderr.write(`not started: ${session.id}\n`);
    process.exitCode = EXIT.interrupted.code;
  } else if (made.some(({ session }) => session.status !== "completed"))
    process.exitCode = EXIT.failed.code;
}

async function watchAll(hub: Hub, made: Made[], options: BatchOptions, signal: AbortSignal) {
  using progress = showProgress(options.json === true);
  await runAll(hub, made, { concurrent: options.concurrent ?? Infinity, signal, progress });
}

/** Each after all that it needs. */
function ordered(tasks: NamedTask[]): NamedTask[] {
  const byId = new Map(tasks.map((task) => [task.id, task]));
  return inOrder(planOf(tasks).tasks, ({ needs }) => needs).flatMap(({ id }) => byId.get(id) ?? []);
}

function showGraph(tasks: NamedTask[], json: boolean): void {
  if (json) return printJson(tasks);
  const nodes = tasks.map(({ id, needs, repo, type, command }) => ({
    id,
    after: needs,
    text: `${style("bold", id)}  ${repo}  ${type}  ${terminalLine(command, 60)}`,
  }));
  process.stdout.write(tree(nodes, (id) => id));
}

async function onlyStart(hub: Hub, made: Made[], json: boolean): Promise<void> {
  for (const one of made) one.session = (await hub.start(one.session.id)).session;
  if (json) printJson(made);
  else printSummary(made);
}
