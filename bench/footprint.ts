import { readFile } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import { standInNoopPath } from "../test/kit/stand-in.ts";
import { openBenchHub } from "./hub.ts";
import { median } from "./table.ts";
import type { Figure } from "./table.ts";

const STARTS = 5;
const SETTLE_MS = 3_000;

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
  const status = await readFile(`/proc/${hub.pid}/status`, "utf8");
  const rssKb = Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]);
  return [
    {
      what: "start to listening, existing data directory, database included",
      value: median(startsMs),
      unit: "ms",
      target: { value: 1_500, atMost: true },
    },
    {
      what: "idle, without the database",
      value: rssKb / 1_024,
      unit: "MB",
      reference: { name: "older system", value: 80 },
      target: { value: 150, atMost: true },
    },
  ];
}
