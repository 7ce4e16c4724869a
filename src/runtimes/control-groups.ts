import { constants } from "node:fs";
import { access, mkdir, readFile, rmdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { SandboxLimits } from "./runtime.ts";

const GROUP = "claude-hub";
const REMOVE_ATTEMPTS = 100;
const REMOVE_PAUSE_MS = 10;

/** Where groups are made: version 1 has one tree for each controller, version 2 one for both. */
interface Tree {
  dir: string;
  version: 1 | 2;
  controls: Control[];
}
type Control = "memory" | "pids";

/** Linux control groups, one for each sandbox, as far as the hub may make them. */
export interface ControlGroups {
  abilities(): Promise<{ memoryLimit: boolean; processLimit: boolean }>;
  /** Answers the files into which a process writes `0` to join. */
  create(name: string, limits: SandboxLimits): Promise<string[]>;
  /** From now on nothing in the group can fork, so that killing what is there wins against any fork bomb. */
  forbidForks(name: string): Promise<void>;
  members(name: string): Promise<number[]>;
  remove(name: string): Promise<void>;
  /** The memory limit in bytes if the kernel has killed in that group because of it. */
  outOfMemory(name: string): Promise<number | null>;
}

/** For the sandboxes of one hub, which `owner` tells from another's. */
export function createControlGroups(owner: string, mount = "/sys/fs/cgroup"): ControlGroups {
  let found: Promise<Tree[]> | undefined;
  const trees = () => (found ??= findTrees(mount));
  const groupIn = (tree: Tree, name: string) => join(tree.dir, `${name}.${owner}`);

  return {
    async abilities() {
      const controls = (await trees()).flatMap((tree) => tree.controls);
      return { memoryLimit: controls.includes("memory"), processLimit: controls.includes("pids") };
    },
    async create(name, limits) {
      const joins: string[] = [];
      for (const tree of await trees()) {
        const dir = groupIn(tree, name);
        await mkdir(dir, { recursive: true });
        for (const control of tree.controls) await limit(dir, tree.version, control, limits);
        joins.push(join(dir, "cgroup.procs"));
      }
      return joins;
    },
    async forbidForks(name) {
      for (const tree of await trees())
        if (tree.controls.includes("pids"))
          await writeIfThere(join(groupIn(tree, name), "pids.max"), "0");
    },
    async members(name) {
      const pids = new Set<number>();
      for (const tree of await trees()) {
        const text = await readIfThere(join(groupIn(tree, name), "cgroup.procs"));
        for (const line of text.split("\n")) if (line !== "") pids.add(Number(line));
      }
      return [...pids];
    },
    async remove(name) {
      for (const tree of await trees()) await removeGroup(groupIn(tree, name));
    },
    async outOfMemory(name) {
      const tree = (await trees()).find(({ controls }) => controls.includes("memory"));
      if (tree === undefined) return null;
      const dir = groupIn(tree, name);
      const [events, bytes] =
        tree.version === 1
          ? ["memory.oom_control", "memory.limit_in_bytes"]
          : ["memory.events", "memory.max"];
      const kills = /^oom_kill (\d+)/m.exec(await readIfThere(join(dir, events)))?.[1] ?? "0";
      return kills === "0" ? null : Number(await readIfThere(join(dir, bytes)));
    },
  };
}

async function limit(
  dir: string,
  version: 1 | 2,
  control: Control,
  limits: SandboxLimits,
): Promise<void> {
  if (control === "pids") {
    await writeFile(join(dir, "pids.max"), String(limits.processes));
    return;
  }
  const bytes = String(limits.memoryBytes);
  await writeFile(join(dir, version === 1 ? "memory.limit_in_bytes" : "memory.max"), bytes);
  // Swapping would make the limit a slow one. Kernels without swap accounting lack the file.
  if (version === 1) await writeIfThere(join(dir, "memory.memsw.limit_in_bytes"), bytes);
  else await writeIfThere(join(dir, "memory.swap.max"), "0");
}

async function findTrees(mount: string): Promise<Tree[]> {
  if ((await readIfThere(join(mount, "cgroup.controllers"))) !== "") return findUnifiedTree(mount);
  const trees: Tree[] = [];
  for (const control of ["memory", "pids"] as const) {
    const dir = join(mount, control, GROUP);
    if ((await exists(join(mount, control))) && (await attempt(() => makeDir(dir))))
      trees.push({ dir, version: 1, controls: [control] });
  }
  return trees;
}

/**
 * The top of the tree for a hub that is root; else beside the hub's own group, which works where systemd has delegated
 * it. Never inside it: a service's group is emptied when the service stops, and sandboxes outlive the hub.
 */
async function findUnifiedTree(mount: string): Promise<Tree[]> {
  const own = /^0::(.*)$/m.exec(await readIfThere("/proc/self/cgroup"))?.[1] ?? "/";
  for (const base of new Set([mount, join(mount, dirname(own))])) {
    const dir = join(base, GROUP);
    const usable = await attempt(async () => {
      // Moving a process asks for this right on the nearest common group of where it was and where it goes.
      await access(join(base, "cgroup.procs"), constants.W_OK);
      await makeDir(dir);
      // Each control by itself: one that is missing must not take the other with it.
      for (const control of ["+memory", "+pids"]) {
        await attempt(() => writeFile(join(base, "cgroup.subtree_control"), control));
        await attempt(() => writeFile(join(dir, "cgroup.subtree_control"), control));
      }
    });
    if (!usable) continue;
    const enabled = (await readIfThere(join(dir, "cgroup.subtree_control"))).trim().split(" ");
    const controls = (["memory", "pids"] as const).filter((control) => enabled.includes(control));
    if (controls.length > 0) return [{ dir, version: 2, controls }];
  }
  return [];
}

/** A group stays busy for a moment after its last process was killed. */
async function removeGroup(dir: string): Promise<void> {
  for (let attempts = 1; ; attempts += 1) {
    try {
      await rmdir(dir);
      return;
    } catch (error) {
      if (codeOf(error) === "ENOENT") return;
      if (codeOf(error) !== "EBUSY" || attempts === REMOVE_ATTEMPTS) throw error;
      await pause(REMOVE_PAUSE_MS);
    }
  }
}

/** Also when it is there: another user's hub may have made it. */
async function makeDir(dir: string): Promise<void> {
  await mkdir(dir, { recursive: true });
  await access(dir, constants.W_OK);
}

/** Whether it worked. What a hub may do with control groups differs by machine; finding out is to try. */
async function attempt(work: () => Promise<void>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch {
    return false;
  }
}

function exists(path: string): Promise<boolean> {
  return attempt(() => access(path));
}

async function readIfThere(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (codeOf(error) === "ENOENT" || codeOf(error) === "ENODEV") return "";
    throw error;
  }
}

async function writeIfThere(path: string, text: string): Promise<void> {
  try {
    await writeFile(path, text, { flag: "r+" });
  } catch (error) {
    if (codeOf(error) !== "ENOENT" && codeOf(error) !== "ENODEV") throw error;
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
