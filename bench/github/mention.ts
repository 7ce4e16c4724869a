import { join } from "node:path";
import type { LocalGitHub } from "../../test/kit/github/github.ts";
import type { TestHub } from "../../test/kit/hub/hub.ts";
import { standInNoopPath } from "../../test/kit/agent/stand-in.ts";
import { startEngine } from "../../test/kit/runtimes/engine.ts";
import { createTempDir } from "../../test/kit/temp-dir.ts";
import { waitFor } from "../../test/kit/wait.ts";
import { median, percentile } from "../table.ts";
import type { Figure } from "../table.ts";
import { mention, openBench } from "./house.ts";
import { sessionsOf } from "./sessions.ts";

const MENTIONS = 15;
const LONG_MS = 600_000;

/** One mention after the other, from the moment that somebody writes it. */
export async function measureMention(): Promise<Figure[]> {
  await using temp = await createTempDir("bench");
  await using engine = await startEngine(join(temp.path, "engine"));
  await using bench = await openBench({ agentPath: standInNoopPath, repositories: 1, engine });
  const { github, hub, names } = bench;
  const [name = ""] = names;
  const eyesMs: number[] = [];
  const runsMs: number[] = [];
  const bareMs: number[] = [];
  for (let count = 0; count <= MENTIONS; count += 1) {
    const { number, id, askedAt } = await mention(bench, name, "look");
    const path = `/repos/${name}/issues/comments/${id}/reactions`;
    const eyes = await waitFor(() => github.requests.find((one) => one.path === path), {
      intervalMs: 1,
      timeoutMs: LONG_MS,
    });
    const runsAt = await agentStart(hub, number);
    const bare = await bareReaction(github, path);
    // The first one warms everything up.
    if (count === 0) continue;
    eyesMs.push(eyes.at.getTime() - askedAt);
    runsMs.push(runsAt - askedAt);
    bareMs.push(bare);
  }
  const reference = { name: "a bare POST of the reaction", value: median(bareMs) };
  return [
    {
      what: "mention → 👀 sent (median)",
      value: median(eyesMs),
      unit: "ms",
      reference,
      target: { value: 300, atMost: true },
    },
    { what: "the same, p95", value: percentile(eyesMs, 0.95), unit: "ms" },
    {
      what: "mention → agent runs in a container, clone included (median)",
      value: median(runsMs),
      unit: "ms",
      reference,
      target: { value: 1_000, atMost: true },
    },
    { what: "the same, p95", value: percentile(runsMs, 0.95), unit: "ms" },
  ];
}

/** When the agent began that works on a thread. */
async function agentStart(hub: TestHub, number: number): Promise<number> {
  const session = await waitFor(
    async () => (await sessionsOf(hub, 20)).find((one) => one.metadata.github.number === number),
    { timeoutMs: LONG_MS },
  );
  await hub.until(session.id);
  const started = (await hub.events(session.id)).find(({ kind }) => kind === "agent.started");
  return Date.parse(started?.at ?? "");
}

async function bareReaction(github: LocalGitHub, path: string): Promise<number> {
  const startedAt = performance.now();
  const answer = await fetch(`${github.apiUrl}${path}`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${github.user("ada").token}`,
      "content-type": "application/json",
    },
    body: JSON.stringify({ content: "rocket" }),
  });
  if (!answer.ok) throw new Error(`the reaction was answered ${answer.status}`);
  return performance.now() - startedAt;
}
