import { standInNoopPath } from "../test/kit/agent/stand-in.ts";
import { REPOSITORY, openBenchHub } from "./hub.ts";
import type { Figure } from "./table.ts";

const SESSIONS = 1_000;
const SLOTS = 20;
/** Each session depends on those so far before it: wide enough for all slots at any time. */
const PARENTS = [40, 53, 71];

/** A graph of sessions whose agents do nothing: what is left is the hub's own time. */
export async function measureGraph(): Promise<Figure[]> {
  await using hub = await openBenchHub({ agentPath: standInNoopPath, slots: SLOTS });
  const ids: string[] = [];
  for (let number = 0; number < SESSIONS; number += 1) {
    const dependencies = PARENTS.flatMap((back) => ids[number - back] ?? []);
    const made = await hub.create({
      type: "analysis",
      project: { repository: REPOSITORY, requirements: "Do nothing." },
      dependencies,
    });
    ids.push(made.id);
  }
  // The last ones first, so that nothing runs before all of them wait.
  for (const id of ids.toReversed()) await hub.start(id);
  for (const id of ids) {
    const { status } = await hub.until(id, { timeoutMs: 900_000 });
    if (status !== "completed") throw new Error(`session ${id} is ${status}`);
  }
  const spans = await Promise.all(ids.map((id) => spanOf(hub, id)));
  const work = spans.reduce((sum, { from, to }) => sum + to - from, 0);
  const total = Math.max(...spans.map(({ to }) => to)) - Math.min(...spans.map(({ from }) => from));
  return [
    {
      what: `graph of ${SESSIONS.toLocaleString("en")} sessions with ${PARENTS.length} parents each, agents that do nothing, ${SLOTS} slots`,
      value: total / 1_000,
      unit: "s",
      reference: { name: "work ÷ slots", value: work / SLOTS / 1_000 },
      target: { value: (1.2 * work) / SLOTS / 1_000, atMost: true },
    },
  ];
}

/** From its slot to its end. */
async function spanOf(
  hub: Awaited<ReturnType<typeof openBenchHub>>,
  id: string,
): Promise<{ from: number; to: number }> {
  const events = await hub.events(id);
  const at = (kind: string) => Date.parse(events.find((event) => event.kind === kind)?.at ?? "");
  return { from: at("session.admitted"), to: at("session.completed") };
}
