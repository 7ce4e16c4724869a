import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { chmod, chown, copyFile, mkdir, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { claudeCodePath } from "../agent/claude-code.ts";
import { listenOnLoopback } from "../network/loopback.ts";
import { openRuntime } from "./runtime-adapter.ts";
import type { Adapter } from "./runtime-adapter.ts";
import { createTempDir } from "../temp-dir.ts";

/** What a runtime promises that isolates: what a sandbox cannot do, tried from its inside. */
export function isolationContract(label: string, adapter: Adapter): void {
  const { uid } = adapter;
  const isContainer = adapter.abilities.isolation === "container";

  describe(`isolation of runtime ${label}`, () => {
    test("no network but the gateway's socket, also when the hub has made it anew", async () => {
      await using at = await openRuntime(adapter);
      const spec = at.place.spec();
      await at.runtime.ensure(spec);
      const server = createServer((_req, res) => res.end("reached"));
      const { url, close } = await listenOnLoopback(server);
      const connectTo = (where: string) =>
        at.place.ask(
          spec.name,
          `const { get } = await import("node:http");
           return await new Promise((resolve) => {
             get(${where}, (res) => res.on("data", (data) => resolve(String(data))))
               .on("error", (error) => resolve(error.code));
           });`,
        );
      expect(await connectTo(JSON.stringify(url))).toBe("ECONNREFUSED");
      expect(await connectTo(`"http://192.0.2.1/"`)).toBe("ENETUNREACH");
      expect(
        await at.place.ask(
          spec.name,
          `return Object.keys((await import("node:os")).networkInterfaces());`,
        ),
      ).toEqual(["lo"]);
      await close();

      const socketPath = join(at.place.host.gatewayDir, at.place.host.gatewaySocketName);
      for (const life of ["first", "second"]) {
        const gateway = createServer((_req, res) => res.end(life));
        gateway.listen({ path: socketPath, readableAll: true, writableAll: true });
        await once(gateway, "listening");
        expect(await connectTo(`{ socketPath: boot.gatewaySocket, agent: false }`)).toBe(life);
        gateway.close();
        gateway.closeAllConnections();
        await once(gateway, "close");
      }
    });

    test("nothing of the hub, of the machine's secrets or of other sandboxes can be seen", async () => {
      await using at = await openRuntime(adapter);
      await using outside = await createTempDir("outside");
      const secret = randomBytes(16).toString("hex");
      await chmod(outside.path, 0o755);
      await writeFile(join(outside.path, "secret"), secret, { mode: 0o644 });
      const [spec, other] = [at.place.spec(), at.place.spec()];
      await at.runtime.ensure(spec);
      await at.runtime.ensure(other);
      await at.place.ask(other.name, "return 1;");
      const unseen = [
        join(outside.path, "secret"),
        at.place.host.sandboxesDir,
        dirname(at.place.host.sandboxesDir),
        at.place.dirOf(other.name),
        at.place.dirOf(spec.name),
        "/root/.bashrc",
        "/run/docker.sock",
        "/var/run/docker.sock",
        // An image has a system of its own.
        ...(isContainer ? [] : ["/etc/shadow", "/etc/gitconfig", "/etc/ssh"]),
        ...(isContainer ? [] : ["/sys/fs", "/var/lib", "/boot"]),
      ];
      const seen = await at.place.ask(
        spec.name,
        `const { existsSync, readdirSync, readFileSync } = await import("node:fs");
         const pids = readdirSync("/proc").filter((name) => /^\\d+$/.test(name));
         const texts = pids.flatMap((pid) => ["cmdline", "environ", "mountinfo"].map((file) => {
           try { return readFileSync("/proc/" + pid + "/" + file, "utf8"); } catch { return ""; }
         }));
         return {
           there: ${JSON.stringify(unseen)}.filter((path) => existsSync(path)),
           pids: pids.length,
           other: texts.some((text) => text.includes(${JSON.stringify(other.name)})),
           gateway: readdirSync("/run/claude-hub"),
           tmp: readdirSync("/tmp"),
           home: readdirSync(boot.homeDir),
           users: readFileSync("/etc/passwd", "utf8").split("\\n").length,
         };`,
      );
      expect(seen).toEqual({
        there: [],
        pids: expect.any(Number),
        other: false,
        gateway: [],
        tmp: isContainer ? [] : checkoutInTmp(),
        home: [],
        users: 3,
      });
    });

    test("the system cannot be written to, and no right can be gained", async () => {
      await using at = await openRuntime(adapter);
      const spec = at.place.spec();
      await at.runtime.ensure(spec);
      const inside = await at.place.ask(
        spec.name,
        `const { chmodSync, closeSync, openSync, readFileSync, statSync } = await import("node:fs");
         const { spawnSync } = await import("node:child_process");
         const status = readFileSync("/proc/self/status", "utf8");
         const paths = ["/x", "/usr/x", "/usr/bin/x", "/etc/x", "/etc/passwd", "/run/claude-hub/x",
           "/dev/x", "/var/x", "/home/x", process.execPath, process.argv[1], "/proc/sys/kernel/hostname",
           "/proc/sys/kernel/core_pattern", "/proc/sys/vm/swappiness", "/proc/sysrq-trigger"];
         const can = (work) => { try { work(); return true; } catch { return false; } };
         const run = (...args) => spawnSync(args[0], args.slice(1)).status === 0;
         return {
           // Should one of them succeed, it has changed nothing.
           opened: paths.filter((path) => can(() => closeSync(openSync(path, "a")))),
           changed: paths.filter((path) => can(() => chmodSync(path, statSync(path).mode))),
           uid: process.getuid(),
           capabilities: /^CapEff:\\s*(\\w+)$/m.exec(status)?.[1],
           permitted: /^CapPrm:\\s*(\\w+)$/m.exec(status)?.[1],
           noNewPrivs: /^NoNewPrivs:\\s*(\\d)$/m.exec(status)?.[1],
           mounted: run("mount", "-t", "tmpfs", "none", "/tmp"),
           becameRoot: run("setpriv", "--reuid=0", "true"),
         };`,
      );
      expect(inside).toEqual({
        opened: [],
        changed: [],
        uid: expect.toSatisfy((id: number) => id !== 0),
        capabilities: "0000000000000000",
        permitted: "0000000000000000",
        noNewPrivs: "1",
        mounted: false,
        becameRoot: false,
      });
    });

    test("what runs inside is nobody who matters outside", async () => {
      await using at = await openRuntime(adapter);
      const users = await Promise.all(
        [at.place.spec(), at.place.spec()].map(async (spec) => {
          await at.runtime.ensure(spec);
          await at.place.starts(spec.name);
          return (await stat(join(at.place.dirOf(spec.name), "spool", "started"))).uid;
        }),
      );
      const isRoot = uid === undefined && process.getuid?.() === 0;
      // A hub that is root has a user for each, another one has only its own, and an image has one.
      expect(users.includes(uid ?? process.getuid?.() ?? 0)).toBe(!isRoot);
      expect(new Set(users).size).toBe(isRoot && !isContainer ? 2 : 1);
    });

    test("a sandbox does not reach into another, nor pass for it", async () => {
      await using at = await openRuntime(adapter);
      const [spec, other] = [at.place.spec(), at.place.spec()];
      await at.runtime.ensure(spec);
      await at.place.ask(
        spec.name,
        `const { spawn } = await import("node:child_process");
         const env = { ...process.env, CLAUDE_HUB_SANDBOX: ${JSON.stringify(other.name)} };
         const child = spawn("sh", ["-c", "sleep 86400 & wait", ${JSON.stringify(other.name)}], { env, stdio: "ignore" });
         await new Promise((resolve) => child.once("spawn", resolve));`,
      );
      expect(await at.runtime.inspect(other.name)).toBe("absent");
      expect(await at.runtime.list()).toEqual([{ name: spec.name, state: "running" }]);
      expect(await at.runtime.ensure(other)).toBe("created");
      expect(await at.place.ask(other.name, "return boot.sandboxName;")).toBe(other.name);
    });

    test("the runner and Claude Code start from a directory that only the hub may enter", async () => {
      await using closed = await createTempDir("closed");
      const dir = join(closed.path, "checkout");
      await mkdir(dir);
      const runner = join(dir, "runner.mjs");
      const agent = join(dir, "claude");
      await using at = await openRuntime({
        ...adapter,
        host: { runnerPath: runner, agentPaths: [agent] },
      });
      await copyFile(join(import.meta.dirname, "fake-runner.mjs"), runner);
      await copyFile(claudeCodePath, agent);
      if (uid !== undefined)
        for (const path of [closed.path, dir, runner, agent]) await chown(path, uid, uid);
      for (const path of [runner, agent])
        await chmod(path, 0o700 | (uid === undefined ? 0o055 : 0));
      for (const path of [closed.path, dir]) await chmod(path, 0o700);
      const spec = at.place.spec({ memoryBytes: 2_147_483_648 });
      await at.runtime.ensure(spec);
      const version = await at.place.ask(
        spec.name,
        `const { execFileSync } = await import("node:child_process");
         return execFileSync(${JSON.stringify(agent)}, ["--version"], { encoding: "utf8" });`,
      );
      expect(version).toMatch(/^\d+\.\d+\.\d+ \(Claude Code\)/);
      expect(dir.startsWith(tmpdir())).toBe(true);
    });
  });
}

/** A checkout below /tmp is seen there: the runner comes from it. */
function checkoutInTmp(): string[] {
  const steps = [import.meta.dirname, process.execPath]
    .filter((path) => path.startsWith("/tmp/"))
    .map((path) => path.split("/")[2] ?? "");
  return [...new Set(steps)];
}
