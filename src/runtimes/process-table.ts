import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { setImmediate as nextTurn, setTimeout as pause } from "node:timers/promises";

/** Every process of a sandbox carries these in its environment: they are how a hub finds sandboxes that it did not start. */
export const MARKERS = { name: "CLAUDE_HUB_SANDBOX", owner: "CLAUDE_HUB_SANDBOXES" } as const;

/** Processes read before other work of the hub gets a turn; a read takes some 15 µs. */
const READS_A_TURN = 64;

/**
 * A program that takes the place of another one (exec) shows nothing until it is there, which has taken 100 ms on a busy
 * machine. Who shows nothing is looked at again; who shows a command and no environment has none.
 */
const EXEC_MS = 1_000;
const LOOK_PAUSE_MS = 2;
const BARE_LOOKS = 3;

/** States of what has ended: a zombie, and one that is being removed. */
const ENDED = new Set(["Z", "X"]);
/** Behind the state; the 22nd of all. */
const START_FIELD = 18;

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
  /** When a process began, which tells it from a later one of the same number; null: it has ended. */
  startOf(pid: number): string | null;
  /** Names of the sandboxes whose runner runs. */
  running(): Promise<Set<string>>;
}

/** The machine's processes, as far as they are sandboxes of one hub, which `owner` tells from another's. */
export function createProcessTable(owner: string, procDir = "/proc"): ProcessTable {
  // Polling asks for the same runners again and again; most of the time one read confirms the one found before.
  const knownRunners = new Map<string, number>();
  const proc = createProc(procDir);
  /** Those that have shown nothing for so long that they are not waited for again. */
  let stubborn: ReadonlySet<number> = new Set();

  /** Null: it is none of ours. `bare`: it has a command, and shows no environment. */
  function read(pid: number): SandboxProcess | "unclear" | "bare" | null {
    const environment = proc.read(pid, "environ");
    if (environment === "") {
      if (!proc.isProgram(pid)) return null;
      return proc.read(pid, "cmdline") === "" ? "unclear" : "bare";
    }
    const name = valueOf(environment, MARKERS.name);
    if (name === undefined) return null;
    // A name belongs to one session; a process that lost the other marker is still the sandbox's.
    if ((valueOf(environment, MARKERS.owner) ?? owner) !== owner) return null;
    const command = proc.read(pid, "cmdline");
    if (command === "" && proc.isProgram(pid)) return "unclear";
    return { pid, name, isRunner: command.endsWith(`\0${name}\0`) && proc.isOutside(pid) };
  }

  async function scan(): Promise<SandboxProcess[]> {
    const found: SandboxProcess[] = [];
    /** How often they were bare. */
    const waiting = new Map<number, number>();
    const look = (pid: number) => {
      const seen = read(pid);
      const bare = (waiting.get(pid) ?? 0) + (seen === "bare" ? 1 : 0);
      if (seen === "unclear" || (seen === "bare" && bare < BARE_LOOKS)) waiting.set(pid, bare);
      else waiting.delete(pid);
      if (seen !== null && typeof seen !== "string") found.push(seen);
    };
    await proc.forEachPid(look);
    const former = [...waiting.keys()].filter((pid) => stubborn.has(pid));
    for (const pid of former) waiting.delete(pid);
    const end = performance.now() + EXEC_MS;
    while (waiting.size > 0 && performance.now() < end) {
      await pause(LOOK_PAUSE_MS);
      for (const pid of waiting.keys()) look(pid);
    }
    stubborn = new Set([...former, ...waiting.keys()]);
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
      return proc.withDescendants(marked.map((process) => process.pid));
    },
    startOf(pid) {
      const [state = "", ...fields] = proc.stat(pid);
      return state === "" || ENDED.has(state) ? null : (fields[START_FIELD] ?? null);
    },
    async running() {
      const runners = (await scan()).filter((process) => process.isRunner);
      return new Set(runners.map((process) => process.name));
    },
  };
}

function isRunnerOf(process: SandboxProcess | string | null, name: string): boolean {
  if (process === null || typeof process === "string") return false;
  return process.name === name && process.isRunner;
}

/** What the system says of processes. */
function createProc(dir: string) {
  /** Empty for processes that have gone or that belong to somebody else: neither is a sandbox of ours. */
  function read(pid: number, file: "environ" | "cmdline" | "stat"): string {
    try {
      return readFileSync(join(dir, String(pid), file), "latin1");
    } catch {
      return "";
    }
  }

  function linkOf(pid: number | "self", link: "exe" | "ns/pid"): string | null {
    try {
      return readlinkSync(join(dir, String(pid), link));
    } catch {
      return null;
    }
  }

  /** The fields from the state on; one empty field for a process that has gone. */
  function stat(pid: number): string[] {
    // The command's name, in parentheses, may itself hold spaces and parentheses.
    const text = read(pid, "stat");
    return text.slice(text.lastIndexOf(")") + 2).split(" ");
  }

  /** 0 when the process has gone. */
  function parentOf(pid: number): number {
    return Number(stat(pid)[1] ?? 0);
  }

  async function forEachPid(visit: (pid: number) => void): Promise<void> {
    let reads = 0;
    for (const entry of readdirSync(dir)) {
      const pid = Number(entry);
      if (!Number.isInteger(pid) || pid === process.pid) continue;
      visit(pid);
      reads += 1;
      if (reads % READS_A_TURN === 0) await nextTurn();
    }
  }

  return {
    read,
    stat,
    forEachPid,
    /** Not of the kernel, and not ended; as far as we may look at it. */
    isProgram: (pid: number) => linkOf(pid, "exe") !== null,
    /**
     * Marks can be forged, and one sandbox must not pass for another. A process that lives among the hub's own was not
     * started in any sandbox that isolates; the wrapper of each sandbox does.
     */
    isOutside(pid: number): boolean {
      const space = linkOf(pid, "ns/pid");
      return space !== null && space === linkOf("self", "ns/pid");
    },
    async withDescendants(roots: number[]): Promise<number[]> {
      if (roots.length === 0) return [];
      const childrenOf = new Map<number, number[]>();
      await forEachPid((pid) => {
        const parent = parentOf(pid);
        childrenOf.set(parent, [...(childrenOf.get(parent) ?? []), pid]);
      });
      const family = new Set(roots);
      for (const pid of family) for (const child of childrenOf.get(pid) ?? []) family.add(child);
      return [...family];
    },
  };
}

function valueOf(environment: string, variable: string): string | undefined {
  const start = `\0${environment}`.indexOf(`\0${variable}=`);
  if (start === -1) return undefined;
  const from = start + variable.length + 1;
  const end = environment.indexOf("\0", from);
  return environment.slice(from, end === -1 ? undefined : end);
}
