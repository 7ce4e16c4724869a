import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { startEngine } from "../test/kit/runtimes/engine.ts";
import type { TestEngine } from "../test/kit/runtimes/engine.ts";
import type { TestHub } from "../test/kit/hub/hub.ts";
import { standInNoopPath } from "../test/kit/agent/stand-in.ts";
import { createTempDir } from "../test/kit/temp-dir.ts";
import { REPOSITORY, openBenchHub } from "./hub.ts";
import { measureStarts } from "./start.ts";
import { median } from "./table.ts";
import type { Figure } from "./table.ts";

const RUNS = 15;
const AT_ONCE = 20;

/** Sessions in containers beside the command line on the same engine, which was the older system's way. */
export async function measureContainers(): Promise<Figure[]> {
  await using temp = await createTempDir("bench");
  await using engine = await startEngine(join(temp.path, "engine"));
  const command = await timesOf(RUNS, () => run(engine));
  const commands = await timeOf(() =>
    Promise.all(Array.from({ length: AT_ONCE }, () => run(engine))),
  );
  const reference = { name: "docker run --rm IMAGE true", value: median(command) };
  return [
    {
      what: "start → agent runs in a prepared container (median)",
      value: median(await prepared(engine)),
      unit: "ms",
      reference,
      target: { value: 0.6 * reference.value, atMost: true },
    },
    {
      what: `${AT_ONCE} containers at once, until the last one runs`,
      value: await atOnce(engine),
      unit: "ms",
      reference: { name: `${AT_ONCE} × docker run --rm at once`, value: commands },
      target: { value: 1.3 * commands, atMost: true },
    },
  ];
}

async function run({ address, image }: TestEngine): Promise<void> {
  const args = ["-H", address, "run", "--rm", "--network", "none", image, "true"];
  await promisify(execFile)("docker", args);
}

async function prepared(engine: TestEngine): Promise<number[]> {
  await using hub = await openBenchHub({ agentPath: standInNoopPath, engine, prepared: 1 });
  return await measureStarts(hub, RUNS);
}

async function atOnce(engine: TestEngine): Promise<number> {
  await using hub = await openBenchHub({ agentPath: standInNoopPath, engine, slots: AT_ONCE });
  const made = await Promise.all(
    Array.from({ length: AT_ONCE }, () =>
      hub.create({
        type: "implementation",
        project: { repository: REPOSITORY, requirements: "Do nothing." },
      }),
    ),
  );
  const startedAt = Date.now();
  await Promise.all(made.map(({ id }) => hub.start(id)));
  await Promise.all(made.map(({ id }) => hub.until(id, { timeoutMs: 120_000 })));
  const ends = await Promise.all(made.map(({ id }) => madeAt(hub, id)));
  return Math.max(...ends) - startedAt;
}

async function madeAt(hub: TestHub, id: string): Promise<number> {
  const found = (await hub.events(id)).find(({ kind }) => kind === "sandbox.created");
  return Date.parse(found?.at ?? "");
}

async function timesOf(count: number, work: () => Promise<unknown>): Promise<number[]> {
  const times: number[] = [];
  for (let number = 0; number < count; number += 1) times.push(await timeOf(work));
  return times;
}

async function timeOf(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}
