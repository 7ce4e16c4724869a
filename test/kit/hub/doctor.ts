import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { z } from "zod";
import { waitFor } from "../wait.ts";

const MAIN = join(import.meta.dirname, "../../../src/main.ts");
const Findings = z.object({
  isHealthy: z.boolean(),
  findings: z.array(
    z.object({
      check: z.string(),
      state: z.enum(["ok", "warning", "failed"]),
      found: z.string(),
      mend: z.string().nullable(),
    }),
  ),
});

/** The doctor as an operator calls it, in an environment made from nothing. */
export async function askDoctor(options: {
  dir: string;
  env?: Record<string, string>;
  args?: string[];
  /** Called with its process id while it is at work. */
  meanwhile?: (pid: number) => Promise<void>;
}) {
  const args = options.args ?? ["--json", "--reach", NOWHERE];
  const child = spawn(process.execPath, [MAIN, "doctor", ...args], {
    env: {
      PATH: process.env["PATH"] ?? "/usr/bin:/bin",
      HOME: options.dir,
      LANG: "C.UTF-8",
      CLAUDE_HUB_DIR: options.dir,
      ...options.env,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const exited = once(child, "exit");
  const printed = Promise.all([text(child.stdout), text(child.stderr)]);
  await options.meanwhile?.(child.pid ?? 0);
  await exited;
  const [output, errors] = await printed;
  return {
    exitCode: child.exitCode,
    output,
    errors,
    /** By the name of the check. */
    findings() {
      const { findings } = Findings.parse(JSON.parse(output));
      return Object.fromEntries(findings.map((finding) => [finding.check, finding]));
    },
  };
}

/** On this machine, where nobody listens. */
export const NOWHERE = "127.0.0.1:1";

/** `claude-hub engine-proxy` in a process of its own, until it is disposed of. */
export async function startEngineProxyCommand(options: {
  dir: string;
  listen: string;
  engine: string;
  env: Record<string, string>;
}): Promise<AsyncDisposable> {
  const { dir, listen, engine, env } = options;
  const flags = ["--dir", dir, "--listen", listen, "--engine", engine];
  const child = spawn(process.execPath, [MAIN, "engine-proxy", ...flags], {
    env: { PATH: process.env["PATH"] ?? "/usr/bin:/bin", HOME: dir, ...env },
    stdio: ["ignore", "ignore", "inherit"],
  });
  const exited = once(child, "exit");
  await waitFor(() => existsSync(listen), { what: "the proxy to listen" });
  return {
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await exited;
    },
  };
}
