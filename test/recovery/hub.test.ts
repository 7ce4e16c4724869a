import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { inject, expect, test } from "vitest";
import { createTestDatabase } from "../kit/hub/database.ts";
import { createGraph, graphProblems } from "../kit/hub/graph.ts";
import { FORGE_TOKEN, openHouse, REPOSITORY, session } from "../kit/hub/house.ts";
import { startHub } from "../kit/hub/hub.ts";
import { createGitForge } from "../kit/forge/git-forge.ts";
import { standIn, standInAgentPath } from "../kit/agent/stand-in.ts";
import { waitFor } from "../kit/wait.ts";

const SLOTS = {
  CLAUDE_HUB_MAX_SESSIONS: "4",
  CLAUDE_HUB_MAX_SESSIONS_PER_REPOSITORY: "4",
  LOG_LEVEL: "warn",
};

test(
  "kill -9 of the hub, 50 times over a graph: every session ends as it deserves",
  { timeout: 400_000 },
  async () => {
    await using house = await openHouse({ env: SLOTS });
    const { hub } = house;
    const nodes = await createGraph(hub, 60, 400);
    for (let kill = 0; kill < 50; kill += 1) {
      // From "it has hardly begun to listen" to "everything is under way".
      await pause(Math.random() * 700);
      await hub.kill();
      await hub.restart();
    }
    expect(await graphProblems(hub, nodes, 120_000)).toEqual([]);
    const branches = Object.keys(await house.forge.refs("octo/greeter")).length - 1;
    expect(branches).toBe(nodes.filter(({ expected }) => expected !== "cancelled").length);
  },
);

test(
  "a push that the forge took while the hub died is known of at the end",
  { timeout: 120_000 },
  async () => {
    await using house = await openHouse({ env: SLOTS });
    const { hub, forge } = house;
    const dir = await forge.git(REPOSITORY, "rev-parse", "--absolute-git-dir");
    // Taken, and not yet answered.
    const hook = join(dir, "hooks", "post-receive");
    await writeFile(hook, "#!/bin/sh\nsleep 20\n", { mode: 0o755 });
    const write = { write: { path: "a.txt", content: "a" } };
    const steps = standIn(write, { commit: "Add a" }, { push: true });
    const made = await hub.create(session(`Push.\n${steps}`));
    await hub.start(made.id);
    const ref = `refs/heads/claude/implementation-${made.id.slice(-8)}`;
    const sha = await waitFor(async () => (await forge.refs(REPOSITORY))[ref]);
    await hub.kill();
    await rm(hook);
    await hub.restart();
    expect(await hub.until(made.id)).toMatchObject({ status: "completed" });
    const pushed = (await hub.events(made.id)).filter(({ kind }) => kind === "branch.pushed");
    expect(pushed.map(({ body }) => body["sha"])).toEqual([sha]);
    const output = await (await hub.fetch(`/api/v1/sessions/${made.id}/artifacts`)).text();
    expect(output).toContain('"pushed":true');
  },
);

test("SIGTERM ends the hub cleanly while sessions go on in their sandboxes", async () => {
  await using house = await openHouse({ env: SLOTS });
  const { hub } = house;
  const made = await hub.create(session(`Slow.\n${standIn({ sleepMs: 3_000 }, { lines: 3 })}`));
  await hub.start(made.id);
  await hub.until(made.id, { statuses: ["running"] });
  expect(await hub.stop()).toBe(0);
  await hub.restart();
  expect(await hub.until(made.id)).toMatchObject({ status: "completed" });
  const kinds = (await hub.events(made.id)).map(({ kind }) => kind);
  expect(kinds.filter((kind) => kind === "agent.started")).toHaveLength(1);
});

test("a hub takes over the sessions of one that is gone", { timeout: 120_000 }, async () => {
  await using database = await createTestDatabase(inject("databaseServer"));
  await using forge = await createGitForge({ token: FORGE_TOKEN });
  await forge.repository("octo/greeter", "greeter");
  const options = {
    databaseUrl: database.url,
    agentPath: standInAgentPath,
    forge: { url: forge.url, token: FORGE_TOKEN },
    env: SLOTS,
  };
  await using first = await startHub(options);
  await using second = await startHub(options);
  const made = await first.create(session(`Slow.\n${standIn({ sleepMs: 4_000 })}`));
  await first.start(made.id);
  await first.until(made.id, { statuses: ["running"] });
  await first.kill();
  await waitFor(() => second.output().includes("taking over"), {
    timeoutMs: 20_000,
    what: "the second hub to take over",
  });
  // The sandbox is on the first one's machine; with it its way to the hub comes back.
  await first.restart();
  expect(await second.until(made.id)).toMatchObject({ status: "completed" });
  const kinds = (await second.events(made.id)).map(({ kind }) => kind);
  expect(kinds.filter((kind) => kind === "agent.started")).toHaveLength(1);
});

test("two hubs cannot share a data directory", async () => {
  await using house = await openHouse({ env: SLOTS });
  await expect(
    startHub({ env: { CLAUDE_HUB_DIR: house.hub.dir }, agentPath: standInAgentPath }),
  ).rejects.toThrow(/another hub \(process \d+\) is at work in the same data directory/);
});
