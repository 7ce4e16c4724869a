import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { openHouse, session } from "../kit/hub/house.ts";
import { sandboxProcesses } from "../kit/runtimes/sandboxes.ts";
import { standIn } from "../kit/agent/stand-in.ts";
import { waitFor } from "../kit/wait.ts";

for (const runtime of ["process", "bubblewrap"] as const)
  test(`${runtime}: a runner that is killed fails its session, and what depends on it`, async () => {
    await using house = await openHouse({ runtime });
    const { hub } = house;
    const made = await hub.create(session(`Slow.\n${standIn({ sleepMs: 120_000 })}`));
    const below = await hub.create(session("Below.", { dependencies: [made.id] }));
    await hub.start(below.id);
    await hub.start(made.id);
    await hub.until(made.id, { statuses: ["running"] });
    const killed = await waitFor(async () => {
      for (const pid of await sandboxProcesses(`${hub.dir}/sandboxes`)) {
        const command = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
        if (!/\0\S*runner\.mjs\0/.test(command) || command.includes("bwrap")) continue;
        process.kill(pid, "SIGKILL");
        return pid;
      }
      return undefined;
    });
    expect(killed).toBeGreaterThan(1);
    const ended = await hub.until(made.id);
    expect(ended.status).toBe("failed");
    expect(ended.error).toContain("ended before it had delivered a result");
    expect(await hub.until(below.id)).toMatchObject({ status: "cancelled" });
    expect((await hub.events(made.id)).map(({ kind }) => kind)).toContain("sandbox.died");
    await waitFor(async () => (await sandboxProcesses(`${hub.dir}/sandboxes`)).length === 0, {
      what: "no process of the sandbox to be left",
    });
  });

test("a sandbox whose agent has wiped its traces is not made a second time", async () => {
  await using house = await openHouse({ runtime: "process" });
  const { hub } = house;
  const made = await hub.create(
    session(`Wipe.\n${standIn({ run: "rm -f ../spool/*; echo wiped" }, { sleepMs: 120_000 })}`),
  );
  await hub.start(made.id);
  await waitFor(async () =>
    (await hub.events(made.id)).some(({ kind, body }) => kind === "tool.returned" && body["text"]),
  );
  await hub.kill();
  for (const pid of await sandboxProcesses(`${hub.dir}/sandboxes`)) process.kill(pid, "SIGKILL");
  await hub.restart();
  expect(await hub.until(made.id)).toMatchObject({ status: "failed" });
  const kinds = (await hub.events(made.id)).map(({ kind }) => kind);
  expect(kinds.filter((kind) => kind === "agent.started")).toHaveLength(1);
});
