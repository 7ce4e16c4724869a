import { setTimeout as pause } from "node:timers/promises";
import { coordinate, orchestrationOf } from "../test/kit/hub/coordination.ts";
import type { TestHub } from "../test/kit/hub/hub.ts";
import { standIn, standInAgentPath } from "../test/kit/agent/stand-in.ts";
import type { StandInStep } from "../test/kit/agent/stand-in.ts";
import { waitFor } from "../test/kit/wait.ts";
import { openBenchHub, REPOSITORY } from "./hub.ts";
import { COLLECTABLE, collectedMemoryOf } from "./memory.ts";
import type { Figure } from "./table.ts";

const COORDINATORS = 20;
const CHILDREN = 10;
const SETTLE_MS = 3_000;
const LONG_MS = 300_000;
const WAITING = "I wait now.";

/** What a session costs the hub that waits for ten others; that it asks no model meanwhile is shown by a test. */
export async function measureCoordination(): Promise<Figure[]> {
  await using hub = await openBenchHub({
    agentPath: standInAgentPath,
    slots: 1,
    env: { ...COLLECTABLE, CLAUDE_HUB_MAX_COORDINATIONS: String(COORDINATORS + 1) },
  });
  // Has the only slot, so that all others stay what they are.
  const project = { repository: REPOSITORY, requirements: standIn({ silentMs: LONG_MS * 2 }) };
  const { id: blocker } = await hub.create({ type: "analysis", project });
  await hub.start(blocker);
  await hub.until(blocker, { statuses: ["running"] });
  // The first one loads what all of them need.
  const all = [await waiting(hub)];
  await pause(SETTLE_MS);
  const beforeMb = await collectedMemoryOf(hub);
  for (let number = 0; number < COORDINATORS; number += 1) all.push(await waiting(hub));
  await pause(SETTLE_MS);
  const afterMb = await collectedMemoryOf(hub);
  for (const id of all) await hub.fetch(`/api/v1/orchestrations/${id}/cancel`, { method: "POST" });
  await hub.fetch(`/api/v1/sessions/${blocker}/cancel`, { method: "POST" });
  await hub.until(blocker);
  return [
    {
      what: `memory of the hub per session that waits for ${CHILDREN} others, at ${COORDINATORS}, garbage collected`,
      value: Math.max(0, afterMb - beforeMb) / COORDINATORS,
      unit: "MB",
      target: { value: 1, atMost: true },
    },
  ];
}

/** Answers an orchestration whose coordinator waits for its sessions. */
async function waiting(hub: TestHub): Promise<string> {
  const child: StandInStep = {
    tool: {
      name: "create_session",
      input: { session_type: "analysis", requirements: "Do nothing.", auto_start: true },
    },
  };
  const steps: StandInStep[] = [
    ...Array.from({ length: CHILDREN }, () => child),
    { print: WAITING },
    { tool: { name: "wait_for_session", input: { session_ids: "{{made}}" } } },
  ];
  const id = await coordinate(hub, standIn(...steps));
  const { sessions } = await orchestrationOf(hub, id);
  const own = sessions.find(({ role }) => role === "coordinator")?.sessionId ?? "";
  await waitFor(
    async () => (await hub.events(own)).some(({ body }) => body["text"] === WAITING) || undefined,
    { timeoutMs: LONG_MS, what: "a session to wait for its own" },
  );
  return id;
}
