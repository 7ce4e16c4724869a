import { setTimeout as pause } from "node:timers/promises";
import type { TestHub } from "../test/kit/hub/hub.ts";
import { standIn, standInAgentPath, standInNoopPath } from "../test/kit/agent/stand-in.ts";
import type { StandInStep } from "../test/kit/agent/stand-in.ts";
import { openBenchHub, REPOSITORY } from "./hub.ts";
import { memoryOf } from "./memory.ts";
import { median } from "./table.ts";
import type { Figure } from "./table.ts";

const STARTS = 5;
const SETTLE_MS = 3_000;
const SESSIONS = 40;

/** How fast the hub comes back to its data, and what it takes when it has nothing to do. */
export async function measureFootprint(): Promise<Figure[]> {
  await using hub = await openBenchHub({ agentPath: standInNoopPath });
  const startsMs: number[] = [];
  for (let start = 0; start < STARTS; start += 1) {
    await hub.stop();
    const startedAt = performance.now();
    await hub.restart();
    startsMs.push(performance.now() - startedAt);
  }
  await pause(SETTLE_MS);
  const idleMb = await memoryOf(hub);
  return [
    {
      what: "start to listening, existing data directory, database included",
      value: median(startsMs),
      unit: "ms",
      target: { value: 1_500, atMost: true },
    },
    {
      what: "idle, without the database",
      value: idleMb,
      unit: "MB",
      reference: { name: "older system", value: 80 },
      target: { value: 150, atMost: true },
    },
  ];
}

/**
 * What a session costs the hub while its agent works, with what is loaded for the first of them; sandboxes are plain
 * processes, and not counted.
 */
export async function measureMemory(): Promise<Figure[]> {
  await using hub = await openBenchHub({ agentPath: standInAgentPath, slots: SESSIONS });
  await pause(SETTLE_MS);
  const beforeMb = await memoryOf(hub);
  const ids = await startAll(hub, SESSIONS, { silentMs: 600_000 });
  await pause(SETTLE_MS);
  const afterMb = await memoryOf(hub);
  for (const id of ids) await hub.fetch(`/api/v1/sessions/${id}/cancel`, { method: "POST" });
  for (const id of ids) await hub.until(id);
  return [
    {
      what: `memory of the hub per running session, at ${SESSIONS}`,
      value: Math.max(0, afterMb - beforeMb) / SESSIONS,
      unit: "MB",
      target: { value: 1, atMost: true },
    },
  ];
}

/** Resolves when all of them run. */
async function startAll(hub: TestHub, count: number, step: StandInStep): Promise<string[]> {
  const requirements = `Work.\n${standIn(step)}`;
  const project = { repository: REPOSITORY, requirements };
  const ids: string[] = [];
  for (let number = 0; number < count; number += 1) {
    const { id } = await hub.create({ type: "analysis", project });
    await hub.start(id);
    ids.push(id);
  }
  for (const id of ids) await hub.until(id, { statuses: ["running"] });
  return ids;
}
