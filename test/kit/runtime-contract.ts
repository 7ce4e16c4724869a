import { randomInt } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Runtime, RuntimeAbilities } from "../../src/runtimes/runtime.ts";
import { createRuntime } from "../../src/runtimes/registry.ts";
import { startRemoteRuntime } from "./remote-runtime.ts";
import type { RemoteRuntime } from "./remote-runtime.ts";
import { createRuntimePlace } from "./runtime-place.ts";
import type { RuntimePlace } from "./runtime-place.ts";
import { waitFor } from "./wait.ts";

export interface Adapter {
  name: "process" | "bubblewrap";
  /** Whom the hub runs as; undefined is whoever runs the test. */
  uid?: number;
  abilities: RuntimeAbilities;
}

/** What every runtime promises. */
export function runtimeContract(label: string, adapter: Adapter): void {
  const { name, uid, abilities } = adapter;
  const endsWhatIsUnmarked = abilities.isolation !== "none" || abilities.processLimit;

  async function open(): Promise<{ place: RuntimePlace; runtime: Runtime } & AsyncDisposable> {
    const place = await createRuntimePlace(uid);
    const remote = uid === undefined ? undefined : await hub(place);
    const runtime = remote?.runtime ?? (await createRuntime(name, place.host));
    place.clean(runtime);
    return {
      place,
      runtime,
      async [Symbol.asyncDispose]() {
        await place[Symbol.asyncDispose]();
        await remote?.[Symbol.asyncDispose]();
      },
    };
  }

  function hub(place: RuntimePlace): Promise<RemoteRuntime> {
    return startRemoteRuntime({ runtime: name, host: place.host }, uid);
  }

  describe(`runtime ${label}`, () => {
    test("says what it can do", async () => {
      await using at = await open();
      expect(await at.runtime.check()).toEqual({ available: true, abilities });
    });

    test("starts a runner, which gets its boot line and an environment from nothing", async () => {
      await using at = await open();
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
          .filter((key) => key !== "PWD"),
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
      await using at = await open();
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
      await using at = await open();
      const spec = at.place.spec();
      await at.runtime.ensure(spec);
      expect(await at.runtime.ensure(spec)).toBe("adopted");
      expect(await at.runtime.inspect(spec.name)).toBe("running");
      expect(await at.runtime.list()).toEqual([{ name: spec.name, state: "running" }]);
      expect(await at.place.starts(spec.name)).toHaveLength(1);
    });

    test("does not start again what has ended, and keeps its last words", async () => {
      await using at = await open();
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
      await using at = await open();
      const spec = at.place.spec();
      await at.runtime.ensure(spec);
      const sleep = await startSleep(at.place, spec.name, "process.env");
      await endRunner(at.place, at.runtime, spec.name);
      await at.runtime.stop(spec.name);
      expect(processesWith(sleep)).toEqual([]);
    });

    test("starts again what ended before it took its lock", async () => {
      await using at = await open();
      const spec = at.place.spec();
      const workspace = join(at.place.dirOf(spec.name), "workspace");
      if (uid === undefined) {
        await mkdir(workspace, { recursive: true });
        await writeFile(join(workspace, "break"), "");
      } else {
        await at.runtime.ensure(at.place.spec());
        return;
      }
      expect(await at.runtime.ensure(spec)).toBe("created");
      await waitFor(async () => (await at.runtime.lastWords(spec.name)).includes("broken"));
      await waitFor(async () => (await at.runtime.inspect(spec.name)) === "absent");
      const { rm } = await import("node:fs/promises");
      await rm(join(workspace, "break"));
      expect(await at.runtime.ensure(spec)).toBe("created");
      expect(await at.place.starts(spec.name)).toHaveLength(1);
    });

    test("two calls at once start one runner", async () => {
      await using at = await open();
      const spec = at.place.spec();
      const answers = await Promise.all([at.runtime.ensure(spec), at.runtime.ensure(spec)]);
      expect(answers.toSorted()).toEqual(["adopted", "created"]);
      expect(await at.place.starts(spec.name)).toHaveLength(1);
    });

    test("two hubs at once start one runner for each sandbox", async () => {
      await using at = await open();
      await using one = await hub(at.place);
      await using other = await hub(at.place);
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
      await using at = await open();
      await using killed = await hub(at.place);
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
      await using at = await open();
      await using leaving = await hub(at.place);
      const spec = at.place.spec();
      await leaving.runtime.ensure(spec);
      expect(await leaving.leave()).toBe(0);
      expect(await at.place.ask(spec.name, "return 1;")).toBe(1);
    });

    test("stopping ends everything, wherever it went", async () => {
      await using at = await open();
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

    test("what was stopped stays stopped", async () => {
      await using at = await open();
      const spec = at.place.spec();
      await at.runtime.stop(spec.name);
      expect(await at.runtime.ensure(spec)).toBe("created");
      // At once: most often before the runner has taken its lock.
      await at.runtime.stop(spec.name);
      await at.runtime.stop(spec.name);
      expect(await at.runtime.inspect(spec.name)).toBe("exited");
      expect(await at.runtime.ensure(spec)).toBe("exited");
    });

    test("removing leaves nothing", async () => {
      await using at = await open();
      const spec = at.place.spec();
      await at.runtime.ensure(spec);
      await at.place.ask(
        spec.name,
        `const { execFileSync } = await import("node:child_process");
         execFileSync("sh", ["-c", "mkdir -p $HOME/go/mod && touch $HOME/go/mod/x && chmod -R a-w $HOME/go"]);`,
      );
      await at.runtime.remove(spec.name);
      expect(await at.runtime.inspect(spec.name)).toBe("absent");
      expect(await at.runtime.list()).toEqual([]);
      expect(readdirSync(at.place.host.sandboxesDir)).toEqual([]);
      expect(processesWith(spec.name)).toEqual([]);
      expect(existsSync(`/sys/fs/cgroup/memory/claude-hub/${spec.name}`)).toBe(false);
      expect(existsSync(`/sys/fs/cgroup/pids/claude-hub/${spec.name}`)).toBe(false);
      expect(existsSync(`/sys/fs/cgroup/claude-hub/${spec.name}`)).toBe(false);
      await at.runtime.remove(spec.name);
    });

    test("two hubs with two directories do not see each other", async () => {
      await using at = await open();
      await using neighbour = await open();
      const spec = at.place.spec();
      await at.runtime.ensure(spec);
      await at.place.starts(spec.name);
      expect(await neighbour.runtime.list()).toEqual([]);
      expect(await neighbour.runtime.inspect(spec.name)).toBe("absent");
      await neighbour.runtime.stop(spec.name);
      expect(await at.runtime.inspect(spec.name)).toBe("running");
    });

    test("keeps a bound on what the runner prints", async () => {
      await using at = await open();
      const spec = at.place.spec();
      await at.runtime.ensure(spec);
      await at.place.ask(
        spec.name,
        `const { writeSync } = await import("node:fs");
         for (let line = 1; line <= 3000; line += 1) writeSync(1, "x".repeat(1000) + line + "\\n");`,
      );
      await at.runtime.inspect(spec.name);
      expect(statSync(join(at.place.dirOf(spec.name), "runner.log")).size).toBeLessThan(1_048_576);
      const words = await at.runtime.lastWords(spec.name);
      expect(words.endsWith("x3000")).toBe(true);
      expect(words.length).toBeLessThan(65_536);
    });

    test("refuses names that are paths", async () => {
      await using at = await open();
      for (const bad of ["..", "a/b", "", ".probe", "A".repeat(300)])
        await expect(at.runtime.remove(bad)).rejects.toThrow("not a name of a sandbox");
    });

    test.skipIf(!abilities.memoryLimit)(
      `${label}: memory has a limit (skipped where control groups cannot be written)`,
      async () => {
        await using at = await open();
        const spec = at.place.spec({ memoryBytes: 134_217_728 });
        await at.runtime.ensure(spec);
        const ended = await at.place.ask(
          spec.name,
          `const { spawnSync } = await import("node:child_process");
           const hog = "const all = []; for (;;) all.push(Buffer.alloc(8_000_000, 1));";
           return spawnSync(process.execPath, ["-e", hog]).signal;`,
        );
        expect(ended).toBe("SIGKILL");
        expect(await at.runtime.lastWords(spec.name)).toContain("out of memory (limit 128 MB)");
      },
    );

    test.skipIf(!abilities.processLimit)(
      `${label}: processes have a limit (skipped where there is no such limit)`,
      async () => {
        await using at = await open();
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
      await using at = await open();
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

/** Has the runner end itself, and waits until the runtime has seen it. */
async function endRunner(place: RuntimePlace, runtime: Runtime, name: string): Promise<void> {
  await place.ask(name, `setTimeout(() => { console.log("goodbye"); process.exit(3); }, 20);`);
  await waitFor(async () => (await runtime.inspect(name)) === "exited");
}

/** A process that would stay for a day; answers a text that only its command line holds. */
async function startSleep(
  place: RuntimePlace,
  name: string,
  env: string,
  detached = true,
): Promise<string> {
  const seconds = `86400.${randomInt(1e9, 1e10)}`;
  await place.ask(
    name,
    `const { spawn } = await import("node:child_process");
     const command = ${detached} ? ["setsid", "-f", "sleep", "${seconds}"] : ["sleep", "${seconds}"];
     spawn(command[0], command.slice(1), { stdio: "ignore", env: ${env} });`,
  );
  await waitFor(() => processesWith(seconds).length > 0);
  return seconds;
}

/** The machine's processes whose command line holds that text. */
function processesWith(text: string): number[] {
  return readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(text);
      } catch {
        return false;
      }
    })
    .map(Number);
}
