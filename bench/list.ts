import { join } from "node:path";
import pino from "pino";
import { openDatabase } from "../src/store/database.ts";
import { startEmbeddedDatabase } from "../src/store/embedded/embedded.ts";
import { filledId, fillSessions } from "../test/kit/hub/many-sessions.ts";
import { standInNoopPath } from "../test/kit/agent/stand-in.ts";
import { createTempDir } from "../test/kit/temp-dir.ts";
import { openBenchHub } from "./hub.ts";
import { median, percentile } from "./table.ts";
import type { Figure } from "./table.ts";

const FEW = 1_000;
const MANY = 100_000;
const MOST = 1_000_000;
const REQUESTS = 400;
const WARM_UP = 50;
const PAGE = 20;
const MOST_MS = 20;
const PATHS = [
  "",
  "&status=failed",
  "&repository=octo%2Frare",
  "&repository=octo%2Fbig&status=failed",
  `&cursor=${filledId(512)}`,
];

/** Pages of the list, one request after the other: the newest, those of a repository, those that failed, and further ones. */
export async function measureList(): Promise<Figure[]> {
  await using few = await openFilled(FEW);
  await using many = await openFilled(MANY);
  await using most = await openFilled(MOST);
  // In turns, so that whatever else the machine does is in both.
  for (let number = 0; number < WARM_UP + REQUESTS; number += 1)
    for (const one of [few, many, most]) {
      const ms = await one.page(number);
      if (number >= WARM_UP) one.taken.push(ms);
    }
  const what = whatOf(MANY);
  const name = `of ${FEW.toLocaleString("en")}`;
  return [
    {
      what: `${what}, p99`,
      value: percentile(many.taken, 0.99),
      unit: "ms",
      reference: { name, value: percentile(few.taken, 0.99) },
      target: { value: MOST_MS, atMost: true },
    },
    {
      what: `${what}, median`,
      value: median(many.taken),
      unit: "ms",
      reference: { name, value: median(few.taken) },
    },
    {
      what: `${whatOf(MOST)}, p99`,
      value: percentile(most.taken, 0.99),
      unit: "ms",
      reference: { name, value: percentile(few.taken, 0.99) },
      target: { value: MOST_MS, atMost: true },
    },
    {
      what: `${whatOf(MOST)}, median`,
      value: median(most.taken),
      unit: "ms",
      reference: { name, value: median(few.taken) },
    },
  ];
}

function whatOf(stored: number): string {
  return `list of ${stored.toLocaleString("en")} stored sessions, ${PAGE} a page`;
}

/** A hub that has stored so many sessions, and how long its pages took. */
async function openFilled(stored: number) {
  await using parts = new AsyncDisposableStack();
  const temp = parts.use(await createTempDir("bench-list"));
  const log = pino({ level: "error" });
  const server = parts.use(await startEmbeddedDatabase({ dir: join(temp.path, "postgres"), log }));
  const hub = parts.use(
    await openBenchHub({ agentPath: standInNoopPath, databaseUrl: server.url }),
  );
  const database = parts.use(openDatabase({ url: server.url, maxConnections: 1 }));
  await fillSessions(database.db, stored);
  const taken: number[] = [];
  const all = parts.move();
  return {
    taken,
    async page(number: number): Promise<number> {
      const began = performance.now();
      const path = PATHS[number % PATHS.length] ?? "";
      const answer = await hub.fetch(`/api/v1/sessions?limit=${PAGE}${path}`);
      await answer.text();
      if (!answer.ok) throw new Error(`the list answered ${answer.status}`);
      return performance.now() - began;
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}
