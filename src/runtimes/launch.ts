import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { open } from "node:fs/promises";
import type { Writable } from "node:stream";
import type { RunnerBoot } from "../core/job.ts";

/** `0` means the process that writes it. A group that cannot be joined keeps the runner from starting unlimited. */
const JOIN_GROUPS =
  'while [ "$1" != -- ]; do echo 0 > "$1" || exit 71; shift; done; shift; exec "$@"';

export interface Launch {
  argv: string[];
  /** The whole environment. */
  env: Record<string, string>;
  cwd: string;
  boot: RunnerBoot;
  /** What file descriptor 3 gives to read. */
  extra?: string;
  /** `cgroup.procs` of the control groups to join before anything else. */
  groups: string[];
  logPath: string;
}

/**
 * Starts a runner in a session of its own, so that it outlives the hub. Resolves when the process exists; whether the
 * runner then works is its own to report.
 */
export async function launch(what: Launch): Promise<void> {
  const argv =
    what.groups.length === 0
      ? what.argv
      : ["/bin/sh", "-c", JOIN_GROUPS, "sh", ...what.groups, "--", ...what.argv];
  const [command = "", ...args] = argv;
  await using log = await open(what.logPath, "a", 0o600);
  const child = spawn(command, args, {
    cwd: what.cwd,
    env: what.env,
    detached: true,
    stdio: ["pipe", log.fd, log.fd, ...(what.extra === undefined ? [] : ["pipe" as const])],
  });
  const spawned = once(child, "spawn");
  // At once: should the hub be killed now, the runner has what it needs.
  feed(child, 3, what.extra);
  feed(child, 0, `${JSON.stringify(what.boot)}\n`);
  child.unref();
  await spawned;
}

function feed(child: ChildProcess, fd: 0 | 3, text: string | undefined): void {
  const pipe = child.stdio[fd];
  if (text === undefined || !isWritable(pipe)) return;
  // A process that ended before it read this has left its reason in the log, and its end is seen by whoever waits for it.
  pipe.on("error", () => {});
  pipe.end(text);
  if ("unref" in pipe && typeof pipe.unref === "function") pipe.unref();
}

function isWritable(pipe: unknown): pipe is Writable {
  return typeof pipe === "object" && pipe !== null && "end" in pipe;
}
