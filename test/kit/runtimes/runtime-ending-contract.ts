import { randomInt } from "node:crypto";
import { existsSync, readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { openRuntime, processesWith, startSleep } from "./runtime-adapter.ts";
import type { Adapter } from "./runtime-adapter.ts";
import { waitFor } from "../wait.ts";

/** What every runtime promises of a sandbox's end and of its limits. */
export function runtimeEndingContract(label: string, adapter: Adapter): void {
  const { abilities } = adapter;
  const endsWhatIsUnmarked = abilities.isolation !== "none" || abilities.processLimit;

  describe(`end of runtime ${label}`, () => {
    test("stopping ends everything, wherever it went", async () => {
      await using at = await openRuntime(adapter);
      const spec = at.place.spec();
      await at.runtime.ensure(spec);
      const marked = await startSleep(at.place, spec.name, "process.env");
      const child = await startSleep(at.place, spec.name, "{ PATH: process.env.PATH }", false);
      const unmarked = await startSleep(at.place, spec.name, "{ PATH: process.env.PATH }");
      await at.runtime.stop(spec.name);
      expect(processesWith(spec.name)).toEqual([]);
      expect(processesWith(marked)).toEqual([]);
      expect(processesWith(child)).toEqual([]);
      const left = processesWith(unmarked);
      for (const pid of left) process.kill(pid, "SIGKILL");
      expect(left).toHaveLength(endsWhatIsUnmarked ? 0 : 1);
    });

    test("removing leaves nothing", async () => {
      await using at = await openRuntime(adapter);
      const spec = at.place.spec();
      await at.runtime.ensure(spec);
      const hasGroup = abilities.memoryLimit && abilities.isolation !== "container";
      expect(controlGroupsOf(spec.name).length > 0).toBe(hasGroup);
      await at.place.ask(
        spec.name,
        `const { execFileSync } = await import("node:child_process");
         execFileSync("sh", ["-c", "mkdir -p $HOME/go/mod && touch $HOME/go/mod/x && chmod -R a-w $HOME/go"]);`,
      );
      await at.runtime.remove(spec.name);
      expect(await at.runtime.inspect(spec.name)).toBe("absent");
      expect(await at.runtime.list()).toEqual([]);
      expect(readdirSync(at.place.host.sandboxesDir)).toEqual([]);
      expect(existsSync(at.place.dirOf(spec.name))).toBe(false);
      expect(processesWith(spec.name)).toEqual([]);
      expect(controlGroupsOf(spec.name)).toEqual([]);
      await at.runtime.remove(spec.name);
    });

    test.skipIf(!abilities.memoryLimit)(
      `${label}: memory has a limit (skipped where control groups cannot be written)`,
      async () => {
        await using at = await openRuntime(adapter);
        const spec = at.place.spec({ memoryBytes: 134_217_728 });
        await at.runtime.ensure(spec);
        const ended = await at.place.ask(
          spec.name,
          `const { spawnSync } = await import("node:child_process");
           const hog = "const all = []; for (;;) all.push(Buffer.alloc(8_000_000, 1));";
           return spawnSync(process.execPath, ["-e", hog]).signal;`,
        );
        expect(ended).toBe("SIGKILL");
        expect(await at.runtime.lastWords(spec.name)).toContain(
          adapter.wordsOfMemory ?? "out of memory (limit 128 MB)",
        );
      },
    );

    test.skipIf(!abilities.processLimit)(
      `${label}: processes have a limit (skipped where there is no such limit)`,
      async () => {
        await using at = await openRuntime(adapter);
        const spec = at.place.spec({ processes: 60 });
        await at.runtime.ensure(spec);
        const started = await at.place.ask(
          spec.name,
          `const { spawn } = await import("node:child_process");
           const { once } = await import("node:events");
           let started = 0;
           for (let tries = 1; tries <= 100; tries += 1) {
             const child = spawn("sleep", ["86400"], { stdio: "ignore" });
             try { await once(child, "spawn"); started += 1; } catch {}
           }
           return started;`,
        );
        // Threads count too, and the runner has some.
        expect(started).toBeGreaterThan(10);
        expect(started).toBeLessThan(60);
      },
    );

    test("stopping wins against what starts processes all the time", async () => {
      await using at = await openRuntime(adapter);
      const spec = at.place.spec();
      await at.runtime.ensure(spec);
      const seconds = `86400.${randomInt(1e9, 1e10)}`;
      const loop = `while :; do setsid sleep ${seconds} & sleep 0.01; done`;
      await at.place.ask(
        spec.name,
        `const { spawn } = await import("node:child_process");
         for (let count = 0; count < 5; count += 1)
           spawn("setsid", ["-f", "sh", "-c", ${JSON.stringify(loop)}], { stdio: "ignore" });`,
      );
      await waitFor(() => processesWith(seconds).length > 20);
      await at.runtime.stop(spec.name);
      expect(processesWith(seconds)).toEqual([]);
    });
  });
}

/** Control groups whose name begins with that of the sandbox, in whichever tree this machine has. */
function controlGroupsOf(name: string): string[] {
  return ["", "memory/", "pids/"].flatMap((tree) => {
    const dir = `/sys/fs/cgroup/${tree}claude-hub`;
    try {
      return readdirSync(dir).filter((group) => group.startsWith(name));
    } catch {
      return [];
    }
  });
}
