import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Event, EventBody, EventKind } from "../../../src/core/event.ts";
import { newId, sandboxName } from "../../../src/core/id.ts";
import type { Job, ModelForm, RunnerResult } from "../../../src/core/job.ts";
import type { Policy } from "../../../src/core/policy.ts";
import { createGitDoorHouse, REPOSITORY } from "../forge/git-door.ts";
import type { GitDoorHouse } from "../forge/git-door.ts";
import type { Files } from "../forge/git-forge.ts";
import { isRunning } from "../process.ts";
import { createRunnerHub } from "./runner-hub.ts";
import type { RunnerHub, Way } from "./runner-hub.ts";
import { standInAgentPath } from "../agent/stand-in.ts";
import { createTempDir } from "../temp-dir.ts";
import { waitFor } from "../wait.ts";

/** As with an API key. */
export const ANTHROPIC_FORM: ModelForm = {
  form: "anthropic",
  region: null,
  families: { opus: null, sonnet: null, haiku: null },
  serverTools: [],
};
const MAIN = join(import.meta.dirname, "../../../src/runner/main.ts");
export const WORK_BRANCH = "claude/work";

/** A job, or as much of it as differs from the usual one. */
export interface JobOptions extends Partial<Omit<Job, "workspace" | "policy" | "limits">> {
  workspace?: Partial<Job["workspace"]>;
  policy?: Partial<Policy>;
  limits?: Partial<Job["limits"]>;
}

interface RunnerRun {
  pid: number;
  homeDir: string;
  workspaceDir: string;
  spoolDir: string;
  /** What the runner itself printed so far. */
  printed(): string;
  ended: Promise<{ exitCode: number | null; signal: string | null }>;
}

/** Real runner processes on real git; only the hub's database is missing. */
export interface RunnerHouse extends AsyncDisposable {
  hub: RunnerHub;
  git: GitDoorHouse;
  start(options?: JobOptions): Promise<RunnerRun>;
  /** Another runner in a place that one has had already. */
  startAgain(run: RunnerRun): Promise<RunnerRun>;
  /** Starts, waits for the end, and gives the result. */
  perform(options?: JobOptions): Promise<RunnerResult>;
  /** Bodies of all events of a kind so far. */
  bodies(kind: EventKind): EventBody[];
  until(kind: EventKind): Promise<Event>;
}

export async function createRunnerHouse(
  options: { files?: Files | null; edit?: boolean; model?: Way } = {},
): Promise<RunnerHouse> {
  const dir = await createTempDir("runner");
  const git = await createGitDoorHouse(options.files === undefined ? {} : { files: options.files });
  const edit = options.edit ?? true;
  const policy: Policy = {
    edit,
    pushBranches: edit ? ["claude/*"] : [],
    pushWorkflows: false,
    reach: "usual",
    maxTokens: null,
    maxCostUsd: null,
  };
  const workBranch = edit ? WORK_BRANCH : null;
  const member = git.join({ policy, workBranch });
  const hub = await createRunnerHub({
    dir: dir.path,
    token: "0".repeat(20) + newId(),
    git: { url: git.url, headers: { authorization: `Bearer ${member.token}` } },
    ...(options.model === undefined ? {} : { model: options.model }),
  });
  const pids: number[] = [];
  let places = 0;

  function jobFrom(more: JobOptions): Job {
    const branch = options.files === null ? null : "main";
    return {
      sessionId: newId(),
      check: null,
      type: edit ? "implementation" : "analysis",
      agent: "claude-code",
      agentExecutable: standInAgentPath,
      model: null,
      modelForm: ANTHROPIC_FORM,
      prompt: "Nothing.",
      systemPrompt: "You are tested.",
      agentSessionId: newId(),
      resume: false,
      fork: null,
      answerSchema: null,
      hubTools: [],
      toolset: "usual",
      setup: [],
      askTools: [],
      ...more,
      workspace: {
        repository: REPOSITORY,
        baseBranch: branch,
        commit: null,
        startAt: null,
        defaultBranch: branch,
        workBranch,
        author: { name: "Claude Hub", email: "hub@hub.invalid" },
        ...more.workspace,
      },
      policy: { ...policy, ...more.policy },
      limits: {
        deadlineAt: new Date(Date.now() + 60_000).toISOString(),
        stallMs: 30_000,
        setupMs: 30_000,
        idleMs: 30_000,
        spoolBytes: 16 * 1024 * 1024,
        ...more.limits,
      },
    };
  }

  async function startIn(place: string, sessionId: string): Promise<RunnerRun> {
    const dirs = {
      workspaceDir: join(place, "workspace"),
      homeDir: join(place, "home"),
      spoolDir: join(place, "spool"),
    };
    for (const path of Object.values(dirs)) await mkdir(path, { recursive: true });
    const name = sandboxName(sessionId);
    const child = spawn(process.execPath, [MAIN], {
      cwd: place,
      env: {
        PATH: `${dirname(process.execPath)}:/usr/local/bin:/usr/bin:/bin`,
        CLAUDE_HUB_SANDBOX: name,
      },
      stdio: ["pipe", "pipe", "pipe"],
    });
    let printed = "";
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (text: string) => (printed += text));
    // It may end without reading.
    child.stdin.on("error", () => undefined);
    const boot = {
      sessionId,
      sandboxName: name,
      gatewaySocket: hub.socket,
      token: hub.token,
      ...dirs,
    };
    child.stdin.end(`${JSON.stringify(boot)}\n`);
    const pid = child.pid ?? 0;
    pids.push(pid);
    const ended = once(child, "close").then(() => ({
      exitCode: child.exitCode,
      signal: child.signalCode,
    }));
    return { pid, ...dirs, printed: () => printed, ended };
  }

  async function start(more: JobOptions = {}): Promise<RunnerRun> {
    const job = jobFrom(more);
    hub.setJob(job);
    places += 1;
    return await startIn(join(dir.path, `place-${places}`), job.sessionId);
  }

  const bodies = (kind: EventKind) =>
    hub.events.filter((event) => event.kind === kind).map(({ body }) => body);

  return {
    hub,
    git,
    start,
    startAgain: (run) => startIn(dirname(run.homeDir), newId()),
    async perform(more) {
      const run = await start(more);
      const { exitCode } = await run.ended;
      const [result] = hub.results;
      if (exitCode !== 0 || result === undefined)
        throw new Error(`the runner ended with ${exitCode}: ${run.printed()}`);
      return result;
    },
    bodies,
    until: (kind) =>
      waitFor(() => hub.events.find((event) => event.kind === kind), { what: `an event ${kind}` }),
    async [Symbol.asyncDispose]() {
      // A test that failed half-way leaves its processes behind: the runner, and the agent's group.
      for (const pid of pids) end(pid);
      for (const { pid } of bodies("agent.started")) end(-Number(pid));
      await waitFor(() => pids.every((pid) => !isRunning(pid)), { what: "the runners' end" });
      await hub[Symbol.asyncDispose]();
      await git[Symbol.asyncDispose]();
      await dir[Symbol.asyncDispose]();
    },
  };
}

function end(pid: number): void {
  if (pid === 0 || Number.isNaN(pid)) return;
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended already.
  }
}
