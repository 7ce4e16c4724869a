import { followEvents } from "../src/client/follow.ts";
import type { TestHub } from "../test/kit/hub.ts";
import { standIn, standInAgentPath } from "../test/kit/stand-in.ts";
import { REPOSITORY, openBenchHub } from "./hub.ts";
import { median, percentile } from "./table.ts";
import type { Figure } from "./table.ts";

const SESSIONS = 50;
const LINES = 500;
const EVERY_MS = 20;

/** From the moment that a runner makes an event until an SSE client has it; 50 sessions at 50 lines a second each. */
export async function measureStream(): Promise<Figure[]> {
  await using hub = await openBenchHub({ agentPath: standInAgentPath, slots: SESSIONS });
  const ids: string[] = [];
  // They begin to speak when all of them run.
  const speech = standIn({ sleepMs: 25_000 }, { lines: LINES, everyMs: EVERY_MS });
  for (let number = 0; number < SESSIONS; number += 1) {
    const made = await hub.create(
      { type: "analysis", project: { repository: REPOSITORY, requirements: speech } },
      { options: { autoStart: true } },
    );
    ids.push(made.id);
  }
  const delays = (await Promise.all(ids.map((id) => listen(hub, id)))).flat();
  return [
    {
      what: `event → SSE client, ${SESSIONS} sessions at 50 lines/s (median of ${delays.length.toLocaleString("en")})`,
      value: median(delays),
      unit: "ms",
      target: { value: 20, atMost: true },
    },
    { what: "the same, p95", value: percentile(delays, 0.95), unit: "ms" },
  ];
}

async function listen(hub: TestHub, sessionId: string): Promise<number[]> {
  const delays: number[] = [];
  for await (const event of followEvents({ url: hub.url, token: hub.secret, sessionId }))
    if (event.kind === "message.written") delays.push(Date.now() - Date.parse(event.at));
  return delays;
}
