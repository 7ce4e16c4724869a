import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { RuntimeHost } from "../runtime.ts";
import { makeSandboxDir, sandboxDir } from "../sandbox-dir.ts";
import type { SandboxDir } from "../sandbox-dir.ts";
import { searchPath } from "../search-path.ts";
import type { BubblewrapCommand } from "./command.ts";
import { INSIDE } from "./confinement.ts";

const TIMEOUT_MS = 10_000;

/** What every session needs: its runner can be read, the gateway reached, Node.js started, the workspace written to. */
const SCRIPT = `test -r "$1" || { echo "the runner cannot be read inside: $1"; exit 1; }
test -x ${INSIDE.gateway} || { echo "the directory of the gateway cannot be entered inside"; exit 1; }
: > ${INSIDE.workspace}/probe || exit 1
exec "$2" -e 0`;

/** Makes a real sandbox for a moment; rejects with the reason why it cannot be made. */
export async function probe(
  host: RuntimeHost,
  compose: (name: string, dir: SandboxDir) => Promise<BubblewrapCommand>,
): Promise<void> {
  // No sandbox is named with a dot, so the list of sandboxes does not see it.
  const parent = await mkdtemp(join(host.sandboxesDir, ".probe-"));
  try {
    const dir = sandboxDir(parent, "probe");
    await makeSandboxDir(dir);
    const { options, command } = await compose("probe", dir);
    const script = ["/bin/sh", "-c", SCRIPT, "sh", host.runnerPath, host.nodePath];
    await run([...options, "--", ...command, ...script]);
  } finally {
    await rm(parent, { recursive: true, force: true });
  }

  function run(args: string[]): Promise<void> {
    const env = { PATH: searchPath(dirname(host.nodePath)), LANG: "C.UTF-8" };
    return new Promise((resolve, reject) => {
      execFile("bwrap", args, { env, timeout: TIMEOUT_MS, killSignal: "SIGKILL" }, (...result) => {
        const [error, stdout, stderr] = result;
        if (error === null) resolve();
        else reject(new Error(reasonOf(error, stdout + stderr), { cause: error }));
      });
    });
  }
}

function reasonOf(error: Error, output: string): string {
  if ("code" in error && error.code === "ENOENT") return "bubblewrap is not installed (no bwrap)";
  const words = output.trim().slice(-500);
  return words === "" ? "a sandbox could not be made" : `a sandbox could not be made: ${words}`;
}
