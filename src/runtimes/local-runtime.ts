import { setTimeout as pause } from "node:timers/promises";
import type { ControlGroups } from "./control-groups.ts";
import { endProcesses, LOOK_PAUSE_MS, LOOKS } from "./ending.ts";
import { launch } from "./launch.ts";
import type { Launch } from "./launch.ts";
import type { ProcessTable } from "./process-table.ts";
import type { Runtime, RuntimeCheck, SandboxSpec } from "./runtime.ts";
import {
  boundLog,
  closeForGood,
  exists,
  hasRun,
  logTail,
  makeSandboxDir,
  removeSandboxDir,
  sandboxDir,
  sandboxNames,
} from "./sandbox-dir.ts";
import type { SandboxDir } from "./sandbox-dir.ts";
import { createTurns } from "./turns.ts";

/** What tells the runtimes apart whose sandboxes are processes of this machine. */
export interface LocalKind {
  name: "process" | "bubblewrap";
  check(): Promise<RuntimeCheck>;
  /** The command that ends in `<node> <runner> <name>`, and what the runner is told. */
  prepare(spec: SandboxSpec, dir: SandboxDir): Promise<Pick<Launch, "argv" | "boot" | "extra">>;
  /** HOME and PATH as seen inside. */
  environment(dir: SandboxDir): Record<string, string>;
}

/** Sandboxes that are processes of this machine, found by the marks in their environment. */
export function createLocalRuntime(deps: {
  sandboxesDir: string;
  kind: LocalKind;
  table: ProcessTable;
  groups: ControlGroups;
}): Runtime {
  const { sandboxesDir, kind, table, groups } = deps;
  const inTurn = createTurns();
  const dirOf = (name: string) => sandboxDir(sandboxesDir, name);

  async function ensure(spec: SandboxSpec): Promise<"created" | "adopted" | "exited"> {
    const dir = dirOf(spec.name);
    if (await table.runnerRuns(spec.name)) return "adopted";
    // In this order: a runner that ended in between has left its lock.
    if (await hasRun(dir)) return (await runsForSure(table, spec.name)) ? "adopted" : "exited";
    await makeSandboxDir(dir);
    const prepared = await kind.prepare(spec, dir);
    await launch({
      ...prepared,
      env: { ...kind.environment(dir), LANG: "C.UTF-8", ...table.markers(spec.name) },
      cwd: dir.workspace,
      groups: await groups.create(spec.name, spec.limits),
      logPath: dir.log,
    });
    return "created";
  }

  async function stop(name: string): Promise<void> {
    await closeForGood(dirOf(name));
    await endProcesses(name, table, groups);
  }

  return {
    name: kind.name,
    check: () => kind.check(),
    ensure: (spec) => inTurn(spec.name, () => ensure(spec)),
    async inspect(name) {
      const dir = dirOf(name);
      // The usual question before a sandbox is made; one look is enough where nothing has ever been.
      if (!(await exists(dir))) return (await table.runnerRuns(name)) ? "running" : "absent";
      await boundLog(dir);
      if (await runsForSure(table, name)) return "running";
      return (await hasRun(dir)) ? "exited" : "absent";
    },
    async list() {
      const running = await table.running();
      const names = new Set([...(await sandboxNames(sandboxesDir)), ...running]);
      return [...names].map((name) => ({
        name,
        state: running.has(name) ? "running" : "exited",
      }));
    },
    stop: (name) => inTurn(name, () => stop(name)),
    remove: (name) =>
      inTurn(name, async () => {
        await stop(name);
        await groups.remove(name);
        // Last, so that a sandbox is listed until nothing of it is left.
        await removeSandboxDir(dirOf(name));
      }),
    lastWords: async (name) =>
      [(await logTail(dirOf(name))).trim(), await whyKilled(name, groups)]
        .filter((text) => text !== "")
        .join("\n"),
  };
}

async function runsForSure(table: ProcessTable, name: string): Promise<boolean> {
  for (let look = 1; ; look += 1) {
    if (await table.runnerRuns(name)) return true;
    if (look === LOOKS) return false;
    await pause(LOOK_PAUSE_MS);
  }
}

async function whyKilled(name: string, groups: ControlGroups): Promise<string> {
  const limitBytes = await groups.outOfMemory(name);
  return limitBytes === null
    ? ""
    : `out of memory (limit ${Math.round(limitBytes / 1_048_576)} MB)`;
}
