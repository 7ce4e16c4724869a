import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { z } from "zod";
import { expect, inject, test } from "vitest";
import { askDoctor } from "../kit/hub/doctor.ts";
import { findEngine } from "../kit/runtimes/engine.ts";
import { MODEL_KEY, openHouse, REPOSITORY, session } from "../kit/hub/house.ts";
import { provideRealImage, REAL_IMAGE } from "../kit/runtimes/real-image.ts";
import { readScenario } from "../kit/model/scenario.ts";

const { engines, reason: noEngine } = await findEngine(inject("engineDir"));
const reason = noEngine ?? (existsSync("/usr/sbin/debootstrap") ? null : "debootstrap is missing");
const ROOT = join(import.meta.dirname, "../..");
const BUILD_MS = 1_200_000;

test.skipIf(reason !== null)(
  `the image for sessions is built and worked in (skipped where no container engine can be started: ${reason ?? ""})`,
  { timeout: BUILD_MS },
  async () => {
    const [engine] = engines;
    if (engine === undefined) throw new Error("there is an engine");
    await provideRealImage(engine);
    const inside = async (command: string) => {
      const args = ["--host", engine.address, "run", "--rm", "--network=none", "--read-only"];
      const { stdout } = await promisify(execFile)("docker", [
        ...args,
        REAL_IMAGE,
        "sh",
        "-c",
        command,
      ]);
      return stdout.trim();
    };
    const { devDependencies } = z
      .object({ devDependencies: z.record(z.string(), z.string()) })
      .parse(JSON.parse(await readFile(join(ROOT, "package.json"), "utf8")));
    expect(await inside("id -un; id -u")).toBe("agent\n1000");
    expect(await inside("node --version")).toBe(`v${devDependencies["node"]}`);
    expect(await inside("npm --version && npx --version")).toMatch(/^(\d+\.\d+\.\d+)\n\1$/);
    expect(await inside("HOME=/tmp claude --version")).toContain(
      devDependencies["@anthropic-ai/claude-code"],
    );
    expect(
      await inside(
        "for tool in git gh rg jq gcc make curl python3 ps; do command -v $tool >/dev/null || echo $tool; done",
      ),
    ).toBe("");
    // Nothing of the build's own secrets or certificates stays.
    expect(await inside("ls -A /tmp; find / -xdev -name 'extra-ca*' 2>/dev/null; true")).toBe("");

    const scenario = await readScenario(
      join(import.meta.dirname, "../kit/model/scenarios/farewell.json"),
    );
    const env = { CLAUDE_CODE_PATH: "", CLAUDE_CONTAINER_IMAGE: REAL_IMAGE };
    await using house = await openHouse({ runtime: "docker", engine, scenario, env });
    const { hub, forge } = house;
    const made = await hub.create(session("Add a farewell function and commit it."));
    await hub.start(made.id);
    expect(await hub.until(made.id, { timeoutMs: 100_000 })).toMatchObject({
      status: "completed",
      error: null,
    });
    const branch = `claude/implementation-${made.id.slice(-8)}`;
    expect(await forge.git(REPOSITORY, "show", `${branch}:src/farewell.js`)).toContain("Goodbye");

    const doctor = await askDoctor({
      dir: hub.dir,
      env: {
        ...env,
        ANTHROPIC_API_KEY: MODEL_KEY,
        CLAUDE_HUB_RUNTIME: "docker",
        DOCKER_HOST: engine.address,
      },
    });
    expect(doctor.findings()["image"]).toMatchObject({ state: "ok" });
    expect(doctor.findings()["image"]?.found).toContain("(Claude Code)");
    expect(doctor.exitCode).toBe(0);

    const demo = await promisify(execFile)(
      process.execPath,
      [join(ROOT, "demo/main.ts"), "--runtime", "docker"],
      {
        cwd: ROOT,
        timeout: 120_000,
        env: {
          PATH: process.env["PATH"] ?? "/usr/bin:/bin",
          HOME: hub.dir,
          LANG: "C.UTF-8",
          DOCKER_HOST: engine.address,
          CLAUDE_CONTAINER_IMAGE: REAL_IMAGE,
        },
      },
    );
    expect(demo.stdout).toContain("sandboxes docker");
  },
);
