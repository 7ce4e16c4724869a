import type { TestHub } from "../test/kit/hub/hub.ts";
import { waitFor } from "../test/kit/wait.ts";
import { standInNoopPath } from "../test/kit/agent/stand-in.ts";
import { REPOSITORY, openBenchHub } from "./hub.ts";
import { median, percentile } from "./table.ts";
import type { Figure } from "./table.ts";

const SESSIONS = 25;

/** The same for a session whose sandbox was made in advance. */
export async function measurePreparedStart(): Promise<Figure[]> {
  await using hub = await openBenchHub({ agentPath: standInNoopPath, prepared: 1 });
  const delaysMs = await measureStarts(hub, SESSIONS);
  return [{ what: "the same in a prepared sandbox (median)", value: median(delaysMs), unit: "ms" }];
}

/** From the answer to the start of prepared sessions until their agents run (ms). */
export async function measureStarts(hub: TestHub, count: number): Promise<number[]> {
  const delaysMs: number[] = [];
  for (let number = 0; number < count; number += 1)
    delaysMs.push(await startOne(hub, (id) => cloned(hub, id)));
  return delaysMs;
}

async function cloned(hub: TestHub, id: string): Promise<void> {
  await waitFor(async () => (await hub.events(id)).some(({ kind }) => kind === "workspace.cloned"));
}

/** From the answer to `session.start` until the agent's process runs; sessions one after the other. */
export async function measureStart(): Promise<Figure[]> {
  await using hub = await openBenchHub({ agentPath: standInNoopPath });
  await startOne(hub);
  const delaysMs: number[] = [];
  for (let number = 0; number < SESSIONS; number += 1) delaysMs.push(await startOne(hub));
  return [
    {
      what: "answer to start → agent runs, process runtime, clone included (median)",
      value: median(delaysMs),
      unit: "ms",
      target: { value: 150, atMost: true },
    },
    { what: "the same, p95", value: percentile(delaysMs, 0.95), unit: "ms" },
  ];
}

async function startOne(
  hub: TestHub,
  beforeStart: (id: string) => Promise<void> = () => Promise.resolve(),
): Promise<number> {
  const made = await hub.create({
    type: "implementation",
    project: { repository: REPOSITORY, requirements: "Do nothing." },
  });
  await beforeStart(made.id);
  await hub.start(made.id);
  const answeredAt = Date.now();
  await hub.until(made.id);
  const started = (await hub.events(made.id)).find(({ kind }) => kind === "agent.started");
  return Date.parse(started?.at ?? "") - answeredAt;
}
