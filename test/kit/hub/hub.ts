import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { access, mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { SessionStatus } from "../../../src/core/session.ts";
import { ownerOfHub } from "../../../src/runtimes/docker/labels.ts";
import type { TestEngine } from "../runtimes/engine.ts";
import { endSandboxes } from "../runtimes/sandboxes.ts";
import { createTempDir } from "../temp-dir.ts";
import { waitFor } from "../wait.ts";

const MAIN = join(import.meta.dirname, "../../../src/main.ts");
/** As `npm start` has them. */
const NODE_FLAGS = ["--max-semi-space-size=8"];
const COMPILE_CACHE = join(import.meta.dirname, "../../../node_modules/.cache/hub");
const LISTENING = /listening on (http:\/\/\S+)/;
const KEPT_OUTPUT = 2_000_000;

export const HUB_SECRET = "secret-of-the-tests-0123456789";

export interface HubOptions {
  /** Another database than one embedded in the hub's directory. */
  databaseUrl?: string;
  runtime?: "process" | "bubblewrap" | "docker" | "auto";
  /** Where the runtime `docker` makes its containers. */
  engine?: TestEngine;
  /** Executable of the agent. */
  agentPath?: string;
  forge?: { url: string; token: string };
  model?: { url: string; apiKey: string };
  /** What to do with the data directory before the first start; disposed of at the end. */
  prepare?: (dir: string) => Promise<AsyncDisposable>;
  /** More variables, or others than the usual ones. */
  env?: Record<string, string>;
}

const WebhookAnswer = z.object({
  success: z.boolean(),
  message: z.string().optional(),
  error: z.string().optional(),
  data: z.record(z.string(), z.json()).optional(),
});

const SessionAnswer = z.object({
  id: z.string(),
  status: z.enum(["pending", "initializing", "running", "completed", "failed", "cancelled"]),
  error: z.string().nullish(),
  containerId: z.string(),
});
export type SessionAnswer = z.infer<typeof SessionAnswer>;

const Line = z.object({
  seq: z.number(),
  at: z.string(),
  kind: z.string(),
  body: z.record(z.string(), z.json()),
});
export type EventLine = z.infer<typeof Line>;

/** A hub in a process of its own, as an operator starts it, in an environment made from nothing. */
export interface TestHub extends AsyncDisposable {
  readonly url: string;
  readonly pid: number;
  readonly dir: string;
  readonly secret: string;
  /** Everything that it printed, over all its starts. */
  output(): string;
  fetch(path: string, init?: RequestInit): Promise<Response>;
  /** Sends one request of the older API. */
  claude(body: unknown): Promise<{ status: number; body: z.infer<typeof WebhookAnswer> }>;
  create(session: Record<string, unknown>, more?: Record<string, unknown>): Promise<SessionAnswer>;
  start(id: string): Promise<SessionAnswer>;
  get(id: string): Promise<SessionAnswer>;
  /** Waits until the session has one of the statuses; the final ones unless others are named. */
  until(
    id: string,
    options?: { statuses?: SessionStatus[]; timeoutMs?: number },
  ): Promise<SessionAnswer>;
  events(id: string): Promise<EventLine[]>;
  /** SIGKILL; what it had started goes on. */
  kill(): Promise<void>;
  /** SIGTERM; answers the exit code. */
  stop(): Promise<number | null>;
  /** After `kill` or `stop`. */
  restart(): Promise<void>;
}

/** It has ended instead of listening. */
export class HubEnded extends Error {
  /** Why, in its own words. */
  readonly reason: string;
  constructor(exitCode: number | null, output: string) {
    super(`the hub ended with ${exitCode}:\n${output}`);
    this.reason = /^claude-hub: (.+)$/m.exec(output)?.[1] ?? output;
  }
}

const FINAL: SessionStatus[] = ["completed", "failed", "cancelled"];

export async function startHub(options: HubOptions = {}): Promise<TestHub> {
  const temp = await createTempDir("hub");
  const dir = join(temp.path, "data");
  const home = join(temp.path, "home");
  await mkdir(home);
  const prepared = await options.prepare?.(dir);
  let output = "";
  let child: ChildProcess | undefined;
  let url = "";

  async function launch(): Promise<void> {
    const started = spawn(process.execPath, [...NODE_FLAGS, MAIN, "serve"], {
      cwd: temp.path,
      env: environment(options, dir, home),
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    child = started;
    const from = output.length;
    for (const stream of [started.stdout, started.stderr])
      stream.setEncoding("utf8").on("data", (text: string) => {
        output = (output + text).slice(-KEPT_OUTPUT);
      });
    const found = await waitFor(
      () => {
        const listening = LISTENING.exec(output.slice(Math.min(from, output.length)))?.[1];
        return listening ?? (started.exitCode === null ? undefined : "none");
      },
      { timeoutMs: 30_000, what: "the hub to listen" },
    );
    if (found === "none") throw new HubEnded(started.exitCode, output.slice(from));
    url = found;
  }

  async function end(signal: "SIGKILL" | "SIGTERM"): Promise<number | null> {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return null;
    const exited = once(child, "exit");
    child.kill(signal);
    await exited;
    return child.exitCode;
  }

  async function hubFetch(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    if (!headers.has("authorization")) headers.set("authorization", `Bearer ${HUB_SECRET}`);
    return await fetch(`${url}${path}`, { ...init, headers });
  }

  async function claude(body: unknown) {
    const response = await hubFetch("/api/webhooks/claude", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    return { status: response.status, body: WebhookAnswer.parse(await response.json()) };
  }

  async function ask(body: Record<string, unknown>): Promise<SessionAnswer> {
    const answer = await claude(body);
    if (!answer.body.success)
      throw new Error(`${String(body["type"])}: ${answer.status} ${answer.body.error ?? ""}`);
    return SessionAnswer.parse(answer.body.data?.["session"]);
  }

  await launch();
  const get = (id: string) => ask({ type: "session.get", sessionId: id });
  return {
    get url() {
      return url;
    },
    get pid() {
      return child?.pid ?? 0;
    },
    dir,
    secret: HUB_SECRET,
    output: () => output,
    fetch: hubFetch,
    claude,
    create: (session, more = {}) => ask({ type: "session.create", session, ...more }),
    start: (id) => ask({ type: "session.start", sessionId: id }),
    get,
    until: (id, { statuses = FINAL, timeoutMs = 60_000 } = {}) =>
      waitFor(
        async () => {
          const session = await get(id);
          return statuses.includes(session.status) ? session : undefined;
        },
        { timeoutMs, intervalMs: 50, what: `session ${id} to be ${statuses.join(" or ")}` },
      ),
    async events(id) {
      const response = await hubFetch(`/api/v1/sessions/${id}/events`, {
        headers: { accept: "application/x-ndjson" },
      });
      if (!response.ok) throw new Error(`events: ${response.status} ${await response.text()}`);
      const text = await response.text();
      return text
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => Line.parse(JSON.parse(line)));
    },
    async kill() {
      await end("SIGKILL");
    },
    stop: () => end("SIGTERM"),
    restart: launch,
    async [Symbol.asyncDispose]() {
      if ((await end("SIGTERM")) === null) await endDatabase(dir);
      // A hub that never came so far has made none.
      if (await exists(join(dir, "sandboxes"))) await endSandboxes(join(dir, "sandboxes"));
      if (options.engine !== undefined) await endContainers(options.engine, dir);
      await prepared?.[Symbol.asyncDispose]();
      await temp[Symbol.asyncDispose]();
    },
  };
}

function environment(options: HubOptions, dir: string, home: string): Record<string, string> {
  return {
    PATH: process.env["PATH"] ?? "/usr/bin:/bin",
    HOME: home,
    LANG: "C.UTF-8",
    // A fifth of what a start costs is reading the hub's own sources.
    NODE_COMPILE_CACHE: COMPILE_CACHE,
    PORT: "0",
    CLAUDE_HUB_DIR: dir,
    CLAUDE_WEBHOOK_SECRET: HUB_SECRET,
    CLAUDE_HUB_RUNTIME: options.runtime ?? "process",
    // Most tests look at what one session does, from its first event on.
    CLAUDE_HUB_PREPARED_SANDBOXES: "0",
    LOG_LEVEL: "debug",
    ...(options.databaseUrl === undefined ? {} : { DATABASE_URL: options.databaseUrl }),
    ...(options.agentPath === undefined ? {} : { CLAUDE_CODE_PATH: options.agentPath }),
    ...(options.forge === undefined
      ? {}
      : { GITHUB_SERVER_URL: options.forge.url, GITHUB_TOKEN: options.forge.token }),
    ...(options.model === undefined
      ? {}
      : { ANTHROPIC_BASE_URL: options.model.url, ANTHROPIC_API_KEY: options.model.apiKey }),
    ...(options.engine === undefined
      ? {}
      : { DOCKER_HOST: options.engine.address, CLAUDE_CONTAINER_IMAGE: options.engine.image }),
    ...options.env,
  };
}

/** What a hub left on an engine, by the name that it has for itself. */
async function endContainers(engine: TestEngine, dir: string): Promise<void> {
  if (!(await exists(join(dir, "executor-id")))) return;
  const hubId = (await readFile(join(dir, "executor-id"), "utf8")).trim();
  await engine.removeAllOf(ownerOfHub(hubId));
}

/** The embedded server of a hub that was killed lives on; it is ours, so it is ended by its own pid file. */
async function endDatabase(dir: string): Promise<void> {
  const pidFile = join(dir, "postgres", "data", "postmaster.pid");
  if (!(await exists(pidFile))) return;
  const pid = Number((await readFile(pidFile, "utf8")).split("\n")[0]);
  if (Number.isInteger(pid) && pid > 1) process.kill(pid, "SIGINT");
}

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}
