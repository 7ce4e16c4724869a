import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { endRunner, openRuntime, startSleep, processesWith } from "./runtime-adapter.ts";
import type { Adapter } from "./runtime-adapter.ts";
import { waitFor } from "../wait.ts";

const ENGINE_VARIABLES = new Set(["HOSTNAME", "TERM", "container"]);

/** What every runtime promises of a sandbox's life; how it ends is in `runtimeEndingContract`. */
export function runtimeContract(label: string, adapter: Adapter): void {
  const { abilities } = adapter;
  const isContainer = abilities.isolation === "container";

  describe(`runtime ${label}`, () => {
    test("says what it can do", async () => {
      await using at = await openRuntime(adapter);
      expect(await at.runtime.check()).toEqual({ available: true, abilities });
    });

    test("starts a runner, which gets its boot line and an environment from nothing", async () => {
      await using at = await openRuntime(adapter);
      const spec = at.place.spec();
      expect(await at.runtime.inspect(spec.name)).toBe("absent");
      expect(await at.runtime.ensure(spec)).toBe("created");
      const boot = await at.place.ask(spec.name, "return boot;");
      expect(boot).toMatchObject({
        sessionId: spec.sessionId,
        sandboxName: spec.name,
        token: spec.token,
      });
      const environment = await at.place.ask(spec.name, "return process.env;");
      expect(environment).toMatchObject({
        CLAUDE_HUB_SANDBOX: spec.name,
        LANG: "C.UTF-8",
        HOME: expect.stringMatching(/home/),
      });
      expect(
        Object.keys(environment ?? {})
          .toSorted()
          // A shell adds the first, container engines the others.
          .filter((key) => key !== "PWD" && !(isContainer && ENGINE_VARIABLES.has(key))),
      ).toEqual(["CLAUDE_HUB_SANDBOX", "CLAUDE_HUB_SANDBOXES", "HOME", "LANG", "PATH"]);
      for (const file of ["environ", "cmdline"])
        expect(
          await at.place.ask(
            spec.name,
            `const { readdirSync, readFileSync } = await import("node:fs");
             return readdirSync("/proc").filter((pid) => {
               try { return readFileSync("/proc/" + pid + "/${file}", "latin1").includes(boot.token); }
               catch { return false; }
             });`,
          ),
        ).toEqual([]);
    });

    test("gives it directories to write to, and git and a shell", async () => {
      await using at = await openRuntime(adapter);
      const spec = at.place.spec();
      await at.runtime.ensure(spec);
      const output = await at.place.ask(
        spec.name,
        `const { execFileSync } = await import("node:child_process");
         const { writeFileSync } = await import("node:fs");
         for (const dir of [boot.workspaceDir, boot.homeDir, boot.spoolDir, "/tmp"])
           writeFileSync(dir + "/mine-" + boot.sessionId, "x");
         return execFileSync("sh", ["-c", "rm /tmp/mine-*; cd $HOME && git init -q x && cd x && git status --short && echo fine"], { encoding: "utf8" });`,
      );
      expect(output).toBe("fine\n");
    });

    test("adopts what runs, and lists it", async () => {
      await using at = await openRuntime(adapter);
      const spec = at.place.spec();
      await at.runtime.ensure(spec);
      expect(await at.runtime.ensure(spec)).toBe("adopted");
      expect(await at.runtime.inspect(spec.name)).toBe("running");
      expect(await at.runtime.list()).toEqual([{ name: spec.name, state: "running" }]);
      expect(await at.place.starts(spec.name)).toHaveLength(1);
    });

    test("does not start again what has ended, and keeps its last words", async () => {
      await using at = await openRuntime(adapter);
      const spec = at.place.spec();
      await at.runtime.ensure(spec);
      await at.place.starts(spec.name);
      await endRunner(at.place, at.runtime, spec.name);
      expect(await at.runtime.inspect(spec.name)).toBe("exited");
      expect(await at.runtime.ensure(spec)).toBe("exited");
      expect(await at.runtime.list()).toEqual([{ name: spec.name, state: "exited" }]);
      expect(await at.runtime.lastWords(spec.name)).toBe("fake runner started\ngoodbye");
    });

    test("an ended runner is seen as ended although a child outlives it", async () => {
      await using at = await openRuntime(adapter);
      const spec = at.place.spec();
      await at.runtime.ensure(spec);
      const sleep = await startSleep(at.place, spec.name, "process.env");
      await endRunner(at.place, at.runtime, spec.name);
      await at.runtime.stop(spec.name);
      expect(processesWith(sleep)).toEqual([]);
    });

    test("starts again what ended before it took its lock", async () => {
      await using at = await openRuntime(adapter);
      const spec = at.place.spec();
      const workspace = await at.place.makeWorkspace(spec.name);
      await writeFile(join(workspace, "break"), "");
      expect(await at.runtime.ensure(spec)).toBe("created");
      await waitFor(async () => (await at.runtime.lastWords(spec.name)).includes("broken"));
      await waitFor(async () => (await at.runtime.inspect(spec.name)) === "absent");
      await rm(join(workspace, "break"));
      expect(await at.runtime.ensure(spec)).toBe("created");
      expect(await at.place.starts(spec.name)).toHaveLength(1);
    });

    test("two calls at once start one runner", async () => {
      await using at = await openRuntime(adapter);
      const spec = at.place.spec();
      const answers = await Promise.all([at.runtime.ensure(spec), at.runtime.ensure(spec)]);
      expect(answers.toSorted()).toEqual(["adopted", "created"]);
      expect(await at.place.starts(spec.name)).toHaveLength(1);
    });

    test("two hubs at once start one runner for each sandbox", async () => {
      await using at = await openRuntime(adapter);
      await using one = await at.hub();
      await using other = await at.hub();
      const specs = Array.from({ length: 6 }, () => at.place.spec());
      await Promise.all(
        specs.flatMap((spec) => [one.runtime.ensure(spec), other.runtime.ensure(spec)]),
      );
      for (const spec of specs) {
        await at.place.ask(spec.name, "return 1;");
        // The loser, if there was one, has ended by now or does so; it never takes the lock.
        expect(await at.place.starts(spec.name)).toHaveLength(1);
        expect(await at.runtime.inspect(spec.name)).toBe("running");
      }
    });

    test("a sandbox outlives a hub that is killed, and the next one adopts it", async () => {
      await using at = await openRuntime(adapter);
      await using killed = await at.hub();
      const spec = at.place.spec();
      await killed.runtime.ensure(spec);
      await killed.kill();
      expect(await at.place.ask(spec.name, "return 1;")).toBe(1);
      expect(await at.runtime.inspect(spec.name)).toBe("running");
      expect(await at.runtime.ensure(spec)).toBe("adopted");
      await at.runtime.stop(spec.name);
      expect(await at.runtime.inspect(spec.name)).toBe("exited");
    });

    test("a running sandbox does not keep the hub from ending", async () => {
      await using at = await openRuntime(adapter);
      await using leaving = await at.hub();
      const spec = at.place.spec();
      await leaving.runtime.ensure(spec);
      expect(await leaving.leave()).toBe(0);
      expect(await at.place.ask(spec.name, "return 1;")).toBe(1);
    });

    test("what was stopped stays stopped", async () => {
      await using at = await openRuntime(adapter);
      const spec = at.place.spec();
      await at.runtime.stop(spec.name);
      expect(await at.runtime.ensure(spec)).toBe("created");
      // At once: most often before the runner has taken its lock.
      await at.runtime.stop(spec.name);
      await at.runtime.stop(spec.name);
      expect(await at.runtime.inspect(spec.name)).toBe("exited");
      expect(await at.runtime.ensure(spec)).toBe("exited");
    });

    test("two hubs with two directories do not see each other", async () => {
      await using at = await openRuntime(adapter);
      await using neighbour = await openRuntime(adapter);
      const spec = at.place.spec();
      await at.runtime.ensure(spec);
      await at.place.starts(spec.name);
      expect(await neighbour.runtime.list()).toEqual([]);
      expect(await neighbour.runtime.inspect(spec.name)).toBe("absent");
      await neighbour.runtime.stop(spec.name);
      expect(await at.runtime.inspect(spec.name)).toBe("running");
    });

    test("keeps a bound on what the runner prints", async () => {
      await using at = await openRuntime(adapter);
      const spec = at.place.spec();
      await at.runtime.ensure(spec);
      await at.place.ask(
        spec.name,
        `for (let line = 1; line <= 3000; line += 1)
           await new Promise((resolve) => process.stdout.write("x".repeat(1000) + line + "\\n", resolve));`,
      );
      await at.runtime.inspect(spec.name);
      expect(await at.place.logBytes(spec.name)).toBeLessThan(1_048_576);
      const words = await at.runtime.lastWords(spec.name);
      expect(words.endsWith("x3000")).toBe(true);
      expect(words.length).toBeLessThan(65_536);
    });

    test("refuses names that are paths", async () => {
      await using at = await openRuntime(adapter);
      for (const bad of ["..", "a/b", "", ".probe", "A".repeat(300)])
        await expect(at.runtime.remove(bad)).rejects.toThrow("not a name of a sandbox");
    });
  });
}
