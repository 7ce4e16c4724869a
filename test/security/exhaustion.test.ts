import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createControlGroups } from "../../src/runtimes/control-groups.ts";
import { attack, CONFINED, neighbour, openConfined } from "../kit/attacks/attack.ts";
import type { House } from "../kit/hub/house.ts";

const LOG_BYTES = 1_048_576;
const GIGABYTE = 1_073_741_824;

/** Sends a body of so many bytes to a door, and says what came of it. */
const pour = (path: string, bytes: number) =>
  `node -e '
    const { request } = require("node:http");
    const url = new URL(process.env.ANTHROPIC_BASE_URL);
    const req = request({ host: url.hostname, port: url.port, path: process.argv[1], method: "POST",
      headers: { "content-type": "application/json" } });
    let sent = 0;
    req.on("response", (res) => { console.log("answered", res.statusCode, "after", sent); process.exit(0); });
    req.on("error", (error) => { console.log("cut:", error.code, "after", sent); process.exit(0); });
    const piece = Buffer.alloc(1048576, "x");
    (function more() {
      while (sent < ${bytes}) { sent += piece.length; if (!req.write(piece)) return req.once("drain", more); }
      req.end();
    })();
  ' ${path}`;

const { memoryLimit } = await createControlGroups("test").abilities();

describe.each(CONFINED)("an agent in $name that takes all that there is", (runtime) => {
  let house: House;
  beforeAll(async () => {
    house = await openConfined(runtime, {
      CLAUDE_CONTAINER_MEMORY_LIMIT: "256m",
      CLAUDE_CONTAINER_PIDS_LIMIT: "128",
      CLAUDE_HUB_SESSION_LOG_BYTES: String(LOG_BYTES),
    });
  });
  afterAll(async () => {
    await house[Symbol.asyncDispose]();
  });

  test("a fork bomb bursts in its own sandbox", { timeout: 60_000 }, async () => {
    const unharmed = await neighbour(house);
    const bomb = "( bomb() { bomb | bomb & }; bomb ) 2>/dev/null; sleep 2; echo survived";
    const { ended, events, outputs } = await attack(
      house,
      [{ run: "for n in $(seq 300); do sleep 1 & done 2>&1 | tail -1" }, { run: bomb }],
      { options: { timeout: 20 } },
    );
    await unharmed();
    // Whether the agent outlives what it has done is its own affair; that it ends is not.
    expect(["completed", "failed"]).toContain(ended.status);
    expect(outputs[0]).toMatch(/cannot fork|Resource temporarily unavailable/i);
    expect(events.at(-1)?.kind).toMatch(/^session\.(completed|failed)$/);
  });

  test.skipIf(runtime.name === "bubblewrap" && !memoryLimit)(
    "memory (skipped where control groups cannot be written)",
    { timeout: 60_000 },
    async () => {
      const unharmed = await neighbour(house);
      const eat = "const a = []; while (a.length < 100) a.push(Buffer.alloc(16777216, 1))";
      const { ended, events } = await attack(house, [
        { run: `node -e '${eat}'; echo "ended: $?"` },
        { run: "head -c 400000000 /dev/zero > /tmp/filler 2>&1; ls -l /tmp/filler" },
      ]);
      await unharmed();
      const told = `${ended.error ?? ""} ${JSON.stringify(events)}`;
      // The kernel ends the greedy program, or all of the sandbox; then the session says so.
      expect(told).toMatch(/ended: 137|Killed|out of memory/);
    },
  );

  test("its log", { timeout: 60_000 }, async () => {
    const unharmed = await neighbour(house);
    const { ended, events } = await attack(house, [
      { lines: 4_000, bytes: 2_000 },
      { result: { summary: "I have said enough." } },
    ]);
    await unharmed();
    expect(ended.status).toBe("completed");
    expect(JSON.stringify(events).length).toBeLessThan(2 * LOG_BYTES);
    expect(events.filter(({ kind }) => kind === "events.dropped")).toHaveLength(1);
    expect(events.at(-1)).toMatchObject({
      kind: "session.completed",
      body: { summary: "I have said enough." },
    });
  });

  test("a gigabyte for every door", { timeout: 60_000 }, async () => {
    const unharmed = await neighbour(house);
    const { outputs, events } = await attack(house, [
      { run: pour("/model/v1/messages", GIGABYTE) },
      { run: pour("/git/octo/greeter.git/git-upload-pack", GIGABYTE) },
      { run: pour("/git/octo/greeter.git/git-receive-pack", GIGABYTE) },
    ]);
    await unharmed();
    for (const output of outputs) {
      expect(output).toMatch(/answered (4\d\d) after \d+|cut: (ECONNRESET|EPIPE) after \d+/);
      expect(Number(/after (\d+)/.exec(output)?.[1])).toBeLessThan(GIGABYTE / 2);
    }
    const doors = events.filter(({ kind }) => kind === "door.refused");
    expect(doors.map(({ body }) => body["door"])).toContain("model");
  });
});

describe.each(CONFINED.filter(({ name }) => name === "docker"))("the disk of $name", (runtime) => {
  test("is limited", { timeout: 90_000 }, async () => {
    await using house = await openConfined(runtime, { CLAUDE_CONTAINER_DISK_LIMIT: "64m" });
    const unharmed = await neighbour(house);
    const { ended, events } = await attack(house, [
      { fillDiskBytes: 512 * 1_048_576 },
      { sleepMs: 60_000 },
    ]);
    await unharmed();
    const told = `${ended.error ?? ""} ${JSON.stringify(events)}`;
    expect(told).toMatch(/over its disk limit|ENOSPC|EDQUOT/);
  });
});

// The named exception `bubblewrap-disk`. What comes of a disk that is really full: test/e2e/disk.test.ts.
test("the disk of bubblewrap is not limited, and the documents say so", async () => {
  const documents = await readFile(join(import.meta.dirname, "../../docs/bounds.md"), "utf8");
  expect(documents).toContain("| `bubblewrap-disk` |");
  await using house = await openConfined(
    { name: "bubblewrap" },
    { CLAUDE_CONTAINER_DISK_LIMIT: "16m" },
  );
  const unharmed = await neighbour(house);
  const { ended, outputs } = await attack(house, [
    {
      run: "head -c 67108864 /dev/zero > filler 2>&1; wc -c < filler; rm -f filler",
    },
  ]);
  await unharmed();
  expect({ status: ended.status, error: ended.error ?? null, outputs }).toEqual({
    status: "completed",
    error: null,
    outputs: ["67108864"],
  });
});
