import { execFileSync } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openHouse, session } from "../kit/hub/house.ts";
import { standIn } from "../kit/agent/stand-in.ts";

const DISK_BYTES = 48 * 1_048_576;

/** Mounts a small disk for the sandboxes alone. */
async function smallDisk(dir: string): Promise<AsyncDisposable> {
  const path = join(dir, "sandboxes");
  await mkdir(path, { recursive: true, mode: 0o700 });
  execFileSync("chmod", ["700", dir]);
  execFileSync("mount", ["-t", "tmpfs", "-o", `size=${DISK_BYTES},mode=0700`, "tmpfs", path]);
  return {
    [Symbol.asyncDispose]: () => {
      execFileSync("umount", ["-l", path]);
      return Promise.resolve();
    },
  };
}

test.skipIf(process.getuid?.() !== 0)(
  "an agent that fills its disk fails its session in words; the hub and others go on (skipped where nothing can be mounted)",
  async () => {
    await using house = await openHouse({ prepare: smallDisk });
    const { hub } = house;
    const made = await hub.create(
      session(`Fill.\n${standIn({ fillDiskBytes: 10 * DISK_BYTES }, { print: "full" })}`),
    );
    await hub.start(made.id);
    const ended = await hub.until(made.id);
    expect(ended.status).toBe("failed");
    expect(ended.error).toMatch(/space/i);
    const events = await hub.events(made.id);
    expect(JSON.stringify(events)).toContain("ENOSPC");
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
    const next = await hub.create(session("Nothing."), { options: { autoStart: true } });
    expect(await hub.until(next.id)).toMatchObject({ status: "completed" });
  },
);
