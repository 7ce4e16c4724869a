import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { setImmediate as nextTurn } from "node:timers/promises";

/** Every process of a sandbox carries these in its environment: they are how a hub finds sandboxes that it did not start. */
export const MARKERS = { name: "CLAUDE_HUB_SANDBOX", owner: "CLAUDE_HUB_SANDBOXES" } as const;

/** Processes read before other work of the hub gets a turn; a read takes some 15 µs. */
const READS_A_TURN = 64;

export interface SandboxProcess {
  pid: number;
  name: string;
  /** The runner or what it is wrapped in, as opposed to what the runner started. */
  isRunner: boolean;
}

export interface ProcessTable {
  /** What a sandbox's environment must hold to be found. */
  markers(name: string): Record<string, string>;
  runnerRuns(name: string): Promise<boolean>;
  /** Marked processes of one sandbox, and whatever descends from them. */
  family(name: string): Promise<number[]>;
  /** Names of the sandboxes whose runner runs. */
  running(): Promise<Set<string>>;
}

/** The machine's processes, as far as they are sandboxes of one hub, which `owner` tells from another's. */
export function createProcessTable(owner: string): ProcessTable {
  // Polling asks for the same runners again and again; most of the time one read confirms the one found before.
  const knownRunners = new Map<string, number>();

  function read(pid: number): SandboxProcess | undefined {
    const environment = readOf(pid, "environ");
    const name = valueOf(environment, MARKERS.name);
    if (name === undefined) return undefined;
    // A name belongs to one session; a process that lost the other marker is still the sandbox's.
    if ((valueOf(environment, MARKERS.owner) ?? owner) !== owner) return undefined;
    const isRunner = readOf(pid, "cmdline").endsWith(`\0${name}\0`) && isOutside(pid);
    return { pid, name, isRunner };
  }

  async function scan(): Promise<SandboxProcess[]> {
    const found: SandboxProcess[] = [];
    await forEachPid((pid) => {
      const process = read(pid);
      if (process !== undefined) found.push(process);
    });
    return found;
  }

  return {
    markers: (name) => ({ [MARKERS.name]: name, [MARKERS.owner]: owner }),
    async runnerRuns(name) {
      const known = knownRunners.get(name);
      if (known !== undefined && isRunnerOf(read(known), name)) return true;
      knownRunners.delete(name);
      const runner = (await scan()).find((process) => isRunnerOf(process, name));
      if (runner !== undefined) knownRunners.set(name, runner.pid);
      return runner !== undefined;
    },
    async family(name) {
      const marked = (await scan()).filter((process) => process.name === name);
      if (marked.length === 0) knownRunners.delete(name);
      return withDescendants(marked.map((process) => process.pid));
    },
    async running() {
      const runners = (await scan()).filter((process) => process.isRunner);
      return new Set(runners.map((process) => process.name));
    },
  };
}

function isRunnerOf(process: SandboxProcess | undefined, name: string): boolean {
  return process !== undefined && process.name === name && process.isRunner;
}

async function withDescendants(roots: number[]): Promise<number[]> {
  if (roots.length === 0) return [];
  const childrenOf = new Map<number, number[]>();
  await forEachPid((pid) => {
    const parent = parentOf(pid);
    childrenOf.set(parent, [...(childrenOf.get(parent) ?? []), pid]);
  });
  const family = new Set(roots);
  for (const pid of family) for (const child of childrenOf.get(pid) ?? []) family.add(child);
  return [...family];
}

/** 0 when the process has gone. */
function parentOf(pid: number): number {
  // The command's name, in parentheses, may itself hold spaces and parentheses.
  const stat = readOf(pid, "stat");
  return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1] ?? 0);
}

async function forEachPid(visit: (pid: number) => void): Promise<void> {
  let reads = 0;
  for (const entry of readdirSync("/proc")) {
    const pid = Number(entry);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    visit(pid);
    reads += 1;
    if (reads % READS_A_TURN === 0) await nextTurn();
  }
}

/** Empty for processes that have gone or that belong to somebody else: neither is a sandbox of ours. */
function readOf(pid: number, file: "environ" | "cmdline" | "stat"): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "latin1");
  } catch {
    return "";
  }
}

/**
 * Marks can be forged, and one sandbox must not pass for another. A process that lives among the hub's own was not
 * started in any sandbox that isolates; the wrapper of each sandbox does.
 */
function isOutside(pid: number): boolean {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`) === readlinkSync("/proc/self/ns/pid");
  } catch {
    return false;
  }
}

function valueOf(environment: string, variable: string): string | undefined {
  const start = `\0${environment}`.indexOf(`\0${variable}=`);
  if (start === -1) return undefined;
  const from = start + variable.length + 1;
  const end = environment.indexOf("\0", from);
  return environment.slice(from, end === -1 ? undefined : end);
}
