import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

const PROGRAM = join(import.meta.dirname, "holder.mjs");

/** A process that holds a data directory or runs an embedded database, as a hub does. */
export interface Holder extends AsyncDisposable {
  pid: number;
  /** `held …` or `refused …` */
  said: string;
  kill(): Promise<void>;
  /** Answers the exit code. */
  stop(): Promise<number | null>;
}

/** @param options.prefix Goes before the command, to run it as another user or with fewer capabilities. */
export async function startHolder(
  what: "data-dir" | "database",
  path: string,
  options: { prefix?: string[] } = {},
): Promise<Holder> {
  const [command, ...args] = [...(options.prefix ?? []), process.execPath, PROGRAM, what, path];
  const child = spawn(command, args, {
    env: { PATH: "/usr/bin:/bin", HOME: "/nonexistent" },
    stdio: ["ignore", "pipe", "inherit"],
    detached: true,
  });
  const exited = once(child, "exit");
  let said = "";
  for await (const chunk of child.stdout.setEncoding("utf8")) {
    said += String(chunk);
    if (said.includes("\n")) break;
  }
  const end = async (signal: "SIGKILL" | "SIGTERM") => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill(signal);
      await exited;
    }
    return child.exitCode;
  };
  return {
    pid: child.pid ?? 0,
    said: said.trim(),
    kill: async () => void (await end("SIGKILL")),
    stop: () => end("SIGTERM"),
    [Symbol.asyncDispose]: async () => void (await end("SIGTERM")),
  };
}
