import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { expect, test } from "vitest";
import { isRunning } from "../kit/process.ts";
import { createTempDir } from "../kit/temp-dir.ts";
import { waitFor } from "../kit/wait.ts";

test("npm start runs in the foreground: a signal for npm ends the hub in order", async () => {
  await using temp = await createTempDir("npm-start");
  const npm = spawn("npm", ["start"], {
    cwd: join(import.meta.dirname, "../.."),
    env: {
      PATH: process.env["PATH"] ?? "",
      HOME: temp.path,
      CLAUDE_HUB_DIR: join(temp.path, "hub"),
      CLAUDE_HUB_RUNTIME: "process",
      PORT: "0",
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const exited = once(npm, "exit");
  let output = "";
  for (const stream of [npm.stdout, npm.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => (output += text));
  try {
    await waitFor(() => output.includes("listening on ") || npm.exitCode !== null, {
      timeoutMs: 30_000,
      what: "the hub to listen",
    });
    expect(output).toContain("listening on ");
    const pid = Number(/"pid":(\d+)/.exec(output)?.[1]);
    expect(isRunning(pid)).toBe(true);
    npm.kill("SIGTERM");
    expect(await exited).toEqual([0, null]);
    expect(output).toContain('"msg":"stopped"');
    expect(isRunning(pid)).toBe(false);
  } finally {
    npm.kill("SIGKILL");
  }
});
