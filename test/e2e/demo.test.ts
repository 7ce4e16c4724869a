import { readdir, readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { openCli } from "../kit/hub/cli.ts";
import { createTempDir } from "../kit/temp-dir.ts";
import { waitFor } from "../kit/wait.ts";

/** Processes whose command line or environment has a text. */
async function processesWith(text: string): Promise<string[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const read = (name: string) => readFile(`/proc/${pid}/${name}`, "utf8").catch(() => "");
      return `${await read("cmdline")} ${await read("environ")}`.includes(text) ? pid : null;
    }),
  );
  return found.filter((pid) => pid !== null);
}

test(
  "a demo that is interrupted from the keyboard leaves nothing behind",
  { timeout: 120_000 },
  async () => {
    await using temp = await createTempDir("demo");
    // All that it makes is below this directory.
    const env = { TMPDIR: temp.path, HOME: temp.path };
    await using demo = openCli(["demo", "--runtime", "process"], { cwd: temp.path, env });
    await demo.shows(/agent started|agent initialized|tool Bash/);
    expect((await processesWith(temp.path)).length).toBeGreaterThan(3);
    demo.interrupt();
    expect(await demo.ended()).toMatchObject({ code: 130, stderr: "" });
    await waitFor(async () => (await processesWith(temp.path)).length === 0, {
      timeoutMs: 20_000,
      what: "the end of all that it had started",
    });
    expect(await readdir(temp.path)).toEqual([]);
  },
);
