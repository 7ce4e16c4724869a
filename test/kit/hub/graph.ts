import type { TestHub } from "./hub.ts";
import { session } from "./house.ts";
import { sandboxProcesses } from "../runtimes/sandboxes.ts";
import { standIn } from "../agent/stand-in.ts";
import { waitFor } from "../wait.ts";
import { readdir } from "node:fs/promises";

export interface GraphNode {
  id: string;
  /** What it must end as. */
  expected: "completed" | "failed" | "cancelled";
}

/** Makes a graph of sessions that start by themselves; every thirteenth fails, and takes what is below with it. */
export async function createGraph(
  hub: TestHub,
  size: number,
  workMs: number,
): Promise<GraphNode[]> {
  const nodes: GraphNode[] = [];
  for (let number = 0; number < size; number += 1) {
    const above = [nodes[number - 4], nodes[number - 7]].filter((node) => node !== undefined);
    const fails = number % 13 === 9;
    const made = await hub.create(
      session(
        `Node ${number}.\n${standIn(
          { sleepMs: workMs },
          { lines: 5 },
          { write: { path: `node-${number}.txt`, content: String(number) } },
          ...(fails ? [{ exit: 3 }] : []),
        )}`,
        { dependencies: above.map(({ id }) => id) },
      ),
      { options: { autoStart: true } },
    );
    const isBroken = above.some(({ expected }) => expected !== "completed");
    nodes.push({ id: made.id, expected: isBroken ? "cancelled" : fails ? "failed" : "completed" });
  }
  return nodes;
}

/** Waits for the end of a graph, and answers what is not as it must be whatever happened in between. */
export async function graphProblems(
  hub: TestHub,
  nodes: GraphNode[],
  timeoutMs: number,
): Promise<string[]> {
  const wrong: string[] = [];
  for (const { id, expected } of nodes) {
    const { status, error } = await hub.until(id, { timeoutMs });
    if (status !== expected) wrong.push(`${id} is ${status} (${error ?? ""}), not ${expected}`);
    const events = await hub.events(id);
    const count = (kind: string) => events.filter((event) => event.kind === kind).length;
    if (events.some(({ seq }, index) => seq !== index + 1)) wrong.push(`${id}: gaps in its log`);
    for (const kind of ["session.admitted", "sandbox.created", "runner.started", "agent.started"])
      if (count(kind) !== (expected === "cancelled" ? 0 : 1))
        wrong.push(`${id}: ${count(kind)} times ${kind}`);
    if (count(`session.${expected}`) !== 1) wrong.push(`${id}: not told once that it ended`);
    const said = events.filter(({ kind }) => kind === "message.written").length;
    if (expected !== "cancelled" && said < 5) wrong.push(`${id}: only ${said} messages arrived`);
  }
  await waitFor(
    async () =>
      (await sandboxProcesses(`${hub.dir}/sandboxes`)).length === 0 &&
      (await readdir(`${hub.dir}/sandboxes`)).length === 0,
    { timeoutMs: 15_000, what: "no sandbox to be left" },
  );
  return wrong;
}
