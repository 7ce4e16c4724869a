import { z } from "zod";
import type { TestHub } from "../../test/kit/hub/hub.ts";
import { standIn, standInAgentPath } from "../../test/kit/agent/stand-in.ts";
import { waitFor } from "../../test/kit/wait.ts";
import type { Figure } from "../table.ts";
import { mention, openBench } from "./house.ts";
import { sessionsOf } from "./sessions.ts";
import type { Session } from "./sessions.ts";

const FLOOD = { mentions: 200, repositories: 20, withinMs: 10_000, slots: 8, perRepository: 2 };
/** What GitHub lets an installation write in a minute, each write counting five points. */
const WRITES_PER_MINUTE = 900 / 5;
const LONG_MS = 600_000;
const WRITES = new Set(["POST", "PATCH", "PUT", "DELETE"]);

/** More at once than there are slots for. */
export async function measureFlood(): Promise<Figure[]> {
  const { mentions, repositories, withinMs, slots, perRepository } = FLOOD;
  await using bench = await openBench({
    agentPath: standInAgentPath,
    repositories,
    slots,
    perRepository,
  });
  const { github, hub, names } = bench;
  const startedAt = Date.now();
  for (let count = 0; count < mentions; count += 1) {
    const due = startedAt + (count * withinMs) / mentions;
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - Date.now())));
    const words = standIn({ silentMs: 200 }, { result: { summary: "Looked." } });
    await mention(bench, names[count % repositories] ?? "", words);
  }
  const told = () => github.requests.filter(({ body }) => isReaction(body, "hooray")).length;
  await waitFor(() => told() >= mentions, { timeoutMs: LONG_MS, intervalMs: 100 });
  const tookMs = Date.now() - startedAt;
  const most = await mostAtOnce(hub, mentions);
  const writes = github.requests.filter(
    ({ kind, method, route }) =>
      kind === "api" && WRITES.has(method) && route?.includes("token") === false,
  );
  const refused = writes.filter(({ status }) => status === null || status >= 400);
  if (refused.length > 0) throw new Error(`GitHub has refused ${refused.length} writes`);
  if (most.all > slots || most.repository > perRepository)
    throw new Error(`more ran at once than may: ${most.all}, ${most.repository} of a repository`);
  return [
    {
      what: `${mentions} mentions in ${withinMs / 1_000} s over ${repositories} repositories, ${slots} slots, until the last is told`,
      value: tookMs / 1_000,
      unit: "s",
      reference: {
        name: `work ÷ slots`,
        value: (mentions * 0.2) / slots,
      },
    },
    {
      what: `the same, writes for each (👀, comment, end, 🎉); at GitHub's pace all take ${Math.ceil(writes.length / WRITES_PER_MINUTE)} min`,
      value: writes.length / mentions,
      unit: "",
    },
  ];
}

/** How many sessions had a slot at the same time, in all and of one repository. */
async function mostAtOnce(hub: TestHub, count: number) {
  const sessions = await sessionsOf(hub, count);
  if (sessions.length !== count) throw new Error(`there are ${sessions.length} sessions`);
  const names = new Set(sessions.map(({ project }) => project.repository));
  const each = [...names].map((name) =>
    mostOf(sessions.filter(({ project }) => project.repository === name)),
  );
  return { all: mostOf(sessions), repository: Math.max(...each) };
}

function mostOf(some: readonly Session[]): number {
  const holding = ({ admittedAt: at }: Session) =>
    some.filter(
      (one) =>
        at !== null &&
        (one.admittedAt ?? "~") <= at &&
        (one.completedAt === null || one.completedAt > at),
    ).length;
  return Math.max(...some.map(holding));
}

function isReaction(body: unknown, content: string): boolean {
  return z.object({ content: z.literal(content) }).safeParse(body).success;
}
