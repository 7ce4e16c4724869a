import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { expect, test } from "vitest";
import { createDatabaseCable } from "../kit/hub/database-outage.ts";
import type { DatabaseCable } from "../kit/hub/database-outage.ts";
import { createGraph, graphProblems } from "../kit/hub/graph.ts";
import { openHouse, session } from "../kit/hub/house.ts";
import { standIn } from "../kit/agent/stand-in.ts";

const SLOTS = {
  CLAUDE_HUB_MAX_SESSIONS: "4",
  CLAUDE_HUB_MAX_SESSIONS_PER_REPOSITORY: "4",
  LOG_LEVEL: "warn",
};

test(
  "database gone for 10 s: requests answer 503, nothing is lost, work goes on",
  { timeout: 180_000 },
  async () => {
    let cable: DatabaseCable | undefined;
    await using house = await openHouse({
      env: SLOTS,
      throughDatabase: async (url) => (cable = await createDatabaseCable(url)),
    });
    const { hub } = house;
    const nodes = await createGraph(hub, 16, 500);
    await pause(1_000);
    await cable?.cut();
    const until = Date.now() + 10_000;
    const statuses = new Set<number>();
    while (Date.now() < until) {
      const asked = await hub.claude({ type: "session.list" });
      const made = await hub.claude({ type: "session.create", session: session("Lost?") });
      statuses.add(asked.status).add(made.status);
      await pause(200);
    }
    expect([...statuses]).toEqual([503]);
    const retry = await hub.fetch("/api/v1/sessions");
    expect(retry.headers.get("retry-after")).not.toBeNull();
    expect((await hub.fetch("/health")).status).toBe(200);
    await cable?.restore();
    expect(await graphProblems(hub, nodes, 90_000)).toEqual([]);
    // What was refused was not done.
    const listed = await hub.claude({ type: "session.list" });
    expect(listed.body.data?.["sessions"]).toHaveLength(nodes.length);
  },
);

test(
  "kill -9 of the embedded server: it is started again, and work goes on",
  { timeout: 180_000 },
  async () => {
    await using house = await openHouse({ embedded: true, env: SLOTS });
    const { hub } = house;
    const nodes = await createGraph(hub, 16, 400);
    for (let kill = 0; kill < 3; kill += 1) {
      const pidFile = await readFile(join(hub.dir, "postgres/data/postmaster.pid"), "utf8");
      process.kill(Number(pidFile.split("\n")[0]), "SIGKILL");
      await pause(2_000);
    }
    expect(await graphProblems(hub, nodes, 90_000)).toEqual([]);
  },
);

test("kill -9 of hub and database server at once", { timeout: 180_000 }, async () => {
  await using house = await openHouse({ embedded: true, env: SLOTS });
  const { hub } = house;
  const made = await hub.create(session(`Slow.\n${standIn({ sleepMs: 2_500 }, { lines: 20 })}`));
  await hub.start(made.id);
  await hub.until(made.id, { statuses: ["running"] });
  const pidFile = await readFile(join(hub.dir, "postgres/data/postmaster.pid"), "utf8");
  process.kill(Number(pidFile.split("\n")[0]), "SIGKILL");
  await hub.kill();
  await hub.restart();
  expect(await hub.until(made.id)).toMatchObject({ status: "completed" });
});
