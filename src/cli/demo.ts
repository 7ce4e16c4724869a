import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { CommandError } from "./exit.ts";

/** It plays both GitHub and the model, and lies with the tests: an installation has no use for it. */
const SCRIPT = resolve(import.meta.dirname, "../../demo/main.ts");

export interface DemoOptions {
  github?: boolean;
  orchestrate?: boolean;
  real?: boolean;
  runtime?: string;
}

/** Runs the demo of this checkout; its exit code is the command's. */
export async function runDemo(options: DemoOptions): Promise<void> {
  if (!existsSync(SCRIPT))
    throw new CommandError(
      "usage",
      "the demo is a part of the checkout, and not of an installation: there, npm ci && npm run demo",
    );
  const { runtime, ...switches } = options;
  const flags = Object.entries(switches).flatMap(([name, isOn]) => (isOn ? [`--${name}`] : []));
  if (runtime !== undefined) flags.push("--runtime", runtime);
  const demo = spawn(process.execPath, [SCRIPT, ...flags], { stdio: "inherit" });
  // It cleans up before it ends; to be told twice, here and by the terminal, changes nothing.
  const pass = (signal: NodeJS.Signals) => void demo.kill(signal);
  process.on("SIGTERM", pass).on("SIGINT", pass);
  const [code] = await once(demo, "exit");
  process.off("SIGTERM", pass).off("SIGINT", pass);
  process.exitCode = typeof code === "number" ? code : 1;
}
