import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import pino from "pino";
import { systemClock } from "../../../src/core/clock.ts";
import { newId } from "../../../src/core/id.ts";
import { Secret } from "../../../src/core/secret.ts";
import { createGitDoor } from "../../../src/gateway/git/door.ts";
import { GIT_LIMITS } from "../../../src/gateway/git/limits.ts";
import type { GitLimits } from "../../../src/gateway/git/limits.ts";
import { createMirror } from "../../../src/gateway/git/mirror.ts";
import type { Mirror } from "../../../src/gateway/git/mirror.ts";
import type { PushedRef } from "../../../src/gateway/git/push.ts";
import { createGateway } from "../../../src/gateway/server.ts";
import type { GatewaySession } from "../../../src/gateway/session.ts";
import { createGitForge } from "./git-forge.ts";
import type { Files, ForgeRepository, GitForge } from "./git-forge.ts";
import { runGit } from "./git.ts";
import { createTempDir } from "../temp-dir.ts";

export const FORGE_TOKEN = "forge-token-of-the-tests";
export const REPOSITORY = "acme/app";

export interface Member {
  session: GatewaySession;
  /** Runs git as this session's agent would: the token is added on the way, as the runner's forwarder does. */
  git(args: string[], cwd?: string): Promise<string>;
  /** The same, for a command that must fail: answers what it printed to the person. */
  gitError(args: string[], cwd?: string): Promise<string>;
  /** A clone of the repository, ready to commit in. */
  clone(...args: string[]): Promise<string>;
  cloneUrl: string;
  token: string;
}

export interface GitDoorHouse extends AsyncDisposable {
  forge: GitForge;
  repository: ForgeRepository;
  mirror: Mirror;
  mirrorsDir: string;
  url: string;
  pushed: PushedRef[];
  /** Whose branch is whose, `repository branch` → session id. */
  owners: Map<string, string>;
  join(more?: Partial<GatewaySession>): Member;
}

/** A forge, a mirror, a git door behind the gateway on loopback, and as many sessions as a test wants. */
export async function createGitDoorHouse(
  options: { files?: Files | null; limits?: Partial<GitLimits> } = {},
): Promise<GitDoorHouse> {
  const dir = await createTempDir("git-door");
  const forge = await createGitForge({ token: FORGE_TOKEN });
  const files = options.files === null ? undefined : (options.files ?? { "README.md": "hello\n" });
  const repository = await forge.repository(REPOSITORY, files);
  const mirrorsDir = join(dir.path, "mirrors");
  await mkdir(mirrorsDir);
  const log = pino({ level: "silent" });
  const shared = {
    serverUrl: forge.url,
    environment: { PATH: process.env["PATH"] ?? "/usr/bin:/bin", HOME: "/nonexistent" },
    credential: () => Promise.resolve(new Secret(FORGE_TOKEN)),
    lease: () =>
      Promise.resolve({ credential: new Secret(FORGE_TOKEN), [Symbol.dispose]: () => undefined }),
    // A test must not wait for a mirror to grow old.
    limits: { ...GIT_LIMITS, mirrorMaxAgeMs: 0, ...options.limits },
    log,
  };
  const mirror = createMirror({ ...shared, dir: mirrorsDir, clock: systemClock });
  const owners = new Map<string, string>();
  const pushed: PushedRef[] = [];
  const door = createGitDoor({
    ...shared,
    mirror,
    ownership: {
      owner: (name, branch) => Promise.resolve(owners.get(`${name} ${branch}`) ?? null),
      claim(name, branch, sessionId) {
        const key = `${name} ${branch}`;
        if (!owners.has(key)) owners.set(key, sessionId);
        return Promise.resolve(owners.get(key) === sessionId);
      },
    },
    onDenial: () => undefined,
    onPush(ref) {
      pushed.push(ref);
      return Promise.resolve();
    },
  });
  const sessions = new Map<string, GatewaySession>();
  const gateway = createGateway({
    address: { port: 0 },
    authenticate: (token) => Promise.resolve(sessions.get(token) ?? null),
    doors: new Map([["git", door]]),
    log,
  });
  const { port } = await gateway.listen();
  const url = `http://127.0.0.1:${port}`;
  let clones = 0;

  return {
    forge,
    repository,
    mirror,
    mirrorsDir,
    url,
    pushed,
    owners,
    join(more = {}) {
      const token = newId();
      const session: GatewaySession = {
        sessionId: newId(),
        repository: REPOSITORY,
        policy: {
          edit: true,
          pushBranches: ["claude/*"],
          pushWorkflows: false,
          reach: "usual",
          maxTokens: null,
          maxCostUsd: null,
        },
        workBranch: "claude/work",
        spent: { tokens: 0, costUsd: 0 },
        readAt: 0,
        ...more,
      };
      sessions.set(token, session);
      const cloneUrl = `${url}/git/${REPOSITORY}.git`;
      const git = (args: string[], cwd = dir.path) =>
        runGit(["-c", `http.extraHeader=Authorization: Bearer ${token}`, ...args], { cwd });
      return {
        session,
        token,
        cloneUrl,
        git,
        async gitError(args, cwd) {
          try {
            await git(args, cwd);
          } catch (error) {
            return String(error);
          }
          throw new Error(`git ${args.join(" ")} did not fail`);
        },
        async clone(...args) {
          clones += 1;
          const place = join(dir.path, `clone-${clones}`);
          await git(["clone", "--quiet", ...args, cloneUrl, place]);
          return place;
        },
      };
    },
    async [Symbol.asyncDispose]() {
      await gateway.close();
      await mirror.close();
      await forge[Symbol.asyncDispose]();
      await dir[Symbol.asyncDispose]();
    },
  };
}
