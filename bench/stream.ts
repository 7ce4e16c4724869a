import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import pino from "pino";
import { followEvents } from "../src/client/follow.ts";
import { openDatabase } from "../src/store/database.ts";
import { startEmbeddedDatabase } from "../src/store/embedded/embedded.ts";
import { createEventStore } from "../src/store/log/events.ts";
import type { EventStore } from "../src/store/log/events.ts";
import type { TestHub } from "../test/kit/hub/hub.ts";
import { standIn, standInAgentPath } from "../test/kit/agent/stand-in.ts";
import { createTempDir } from "../test/kit/temp-dir.ts";
import { REPOSITORY, openBenchHub } from "./hub.ts";
import { median, percentile } from "./table.ts";
import type { Figure } from "./table.ts";

const SESSIONS = 50;
const LINES = 500;
const EVERY_MS = 20;
const RATE = `${SESSIONS} sessions at 50 lines/s`;

/** From the moment that an event is appended, or that a runner makes it, until an SSE client has it. */
export async function measureStream(): Promise<Figure[]> {
  const appended = await measureAppended();
  const spoken = await measureSpoken();
  return [
    {
      what: `appended event → SSE client, ${RATE} (median of ${count(appended)})`,
      value: median(appended),
      unit: "ms",
      target: { value: 20, atMost: true },
    },
    { what: "the same, p95", value: percentile(appended, 0.95), unit: "ms" },
    {
      what: `line in the sandbox → SSE client, ${RATE}, 100 more processes on the same cores`,
      value: median(spoken),
      unit: "ms",
    },
  ];
}

/** Another process appends, as another hub would; the clients listen to this one. */
async function measureAppended(): Promise<number[]> {
  await using temp = await createTempDir("bench");
  const log = pino({ level: "silent" });
  await using server = await startEmbeddedDatabase({ dir: join(temp.path, "postgres"), log });
  await using hub = await openBenchHub({ agentPath: standInAgentPath, databaseUrl: server.url });
  await using database = openDatabase({ url: server.url, maxConnections: 4 });
  const ids = await createSessions(hub, "Nothing.", false);
  const done = new AbortController();
  const listening = Promise.all(ids.map((id) => listen(hub, id, done.signal)));
  await pause(1_000);
  const events = createEventStore(database);
  await Promise.all(ids.map((id, index) => speak(events, id, index)));
  await pause(1_000);
  done.abort();
  return (await listening).flat();
}

async function speak(events: EventStore, sessionId: string, index: number): Promise<void> {
  // Not all in the same moment.
  await pause((index * EVERY_MS) / SESSIONS);
  const startedAt = performance.now();
  for (let line = 1; line <= LINES; line += 1) {
    const at = new Date().toISOString();
    const body = { text: `line ${line}`.padEnd(80, ".") };
    await events.append({ sessionId, events: [{ at, kind: "message.written", body }] });
    await pause(Math.max(0, startedAt + line * EVERY_MS - performance.now()));
  }
}

/** The whole way: 50 agents and 50 runners beside the hub, its database and the clients. */
async function measureSpoken(): Promise<number[]> {
  await using hub = await openBenchHub({ agentPath: standInAgentPath, slots: SESSIONS });
  // They begin to speak when all of them run.
  const speech = standIn({ sleepMs: 25_000 }, { lines: LINES / 5, everyMs: EVERY_MS });
  const ids = await createSessions(hub, speech, true);
  return (await Promise.all(ids.map((id) => listen(hub, id)))).flat();
}

async function createSessions(
  hub: TestHub,
  requirements: string,
  autoStart: boolean,
): Promise<string[]> {
  const ids: string[] = [];
  for (let number = 0; number < SESSIONS; number += 1) {
    const made = await hub.create(
      { type: "analysis", project: { repository: REPOSITORY, requirements } },
      { options: { autoStart } },
    );
    ids.push(made.id);
  }
  return ids;
}

async function listen(hub: TestHub, sessionId: string, signal?: AbortSignal): Promise<number[]> {
  const delays: number[] = [];
  const from = { url: hub.url, token: hub.secret, sessionId };
  for await (const event of followEvents(signal === undefined ? from : { ...from, signal }))
    if (event.kind === "message.written") delays.push(Date.now() - Date.parse(event.at));
  return delays;
}

function count(values: number[]): string {
  return values.length.toLocaleString("en");
}
