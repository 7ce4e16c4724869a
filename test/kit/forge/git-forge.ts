import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import { cp, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { createGitBackend } from "./git-backend.ts";
import { runGit } from "./git.ts";
import { closeSignal, listenOnLoopback } from "../network/loopback.ts";
import { createTempDir } from "../temp-dir.ts";

const KEPT = 1_000;
const FIXTURES = join(import.meta.dirname, "fixtures");

/** Text by path; or the name of a directory of `test/kit/forge/fixtures`. */
export type Files = Record<string, string> | string;

interface ForgeRequest {
  method: string;
  /** With the query, as git asked. */
  path: string;
  /** Null while it is being answered. */
  status: number | null;
}

export interface ForgeRepository {
  name: string;
  cloneUrl: string;
  /** The bare repository on disk. */
  dir: string;
  /** The first commit; null when the repository was made empty. */
  sha: string | null;
}

export interface GitForge extends AsyncDisposable {
  url: string;
  /** Makes `owner/name`. Without files it is empty, with them they are the first commit on `main`. */
  repository(name: string, files?: Files): Promise<ForgeRepository>;
  /** Puts a commit on a branch (made from `main` if it is new), as if somebody else had pushed. Returns its sha. */
  commit(
    name: string,
    files: Files,
    options?: { branch?: string; message?: string },
  ): Promise<string>;
  /** Runs git in the bare repository and returns what it printed, trimmed. */
  git(name: string, ...args: string[]): Promise<string>;
  /** Full ref names and what they point to. */
  refs(name: string): Promise<Record<string, string>>;
  /** Every different `Authorization` header that was shown; basic ones decoded (`user:password`). */
  credentials: readonly string[];
  /** The last 1,000 requests, oldest first. */
  requests: readonly ForgeRequest[];
  /** Answers every request with this status until called with null; `only` limits it to fetches or to pushes. */
  fail(status: number | null, only?: "fetch" | "push"): void;
  /** Waits so long before every answer. */
  delay(ms: number): void;
}

/** A git server on loopback: smart HTTP by real git, for whoever shows `x-access-token:<token>`. */
export async function createGitForge({ token }: { token: string }): Promise<GitForge> {
  const root = await createTempDir("forge");
  const repositories = join(root.path, "repositories");
  await mkdir(repositories);
  const backend = createGitBackend(repositories);
  const expected = `x-access-token:${token}`;
  const credentials: string[] = [];
  const requests: ForgeRequest[] = [];
  let failure: { status: number; only: "fetch" | "push" | undefined } | null = null;
  let delayMs = 0;

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      if (!response.headersSent) response.writeHead(500, { "content-type": "text/plain" });
      response.end(String(error));
    });
  });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const method = request.method ?? "GET";
    const path = request.url ?? "/";
    const record: ForgeRequest = { method, path, status: null };
    requests.push(record);
    if (requests.length > KEPT) requests.shift();
    response.once("close", () => {
      record.status = response.statusCode;
    });
    const shown = credentialOf(request.headers.authorization);
    if (shown !== null && !credentials.includes(shown) && credentials.length < KEPT) {
      credentials.push(shown);
    }
    if (delayMs > 0) await pause(delayMs, undefined, { signal: closeSignal(response) });
    if (failure !== null && (failure.only ?? kindOf(path)) === kindOf(path)) {
      refuse(response, failure.status, "the forge was told to fail");
    } else if (shown !== expected) {
      response.setHeader("www-authenticate", 'Basic realm="forge"');
      refuse(response, 401, "authentication required");
    } else {
      await backend.serve(request, response);
    }
  }

  function dirOf(name: string): string {
    if (!/^[\w-]+\/[\w.-]+$/.test(name)) throw new Error(`not owner/name: ${name}`);
    return join(repositories, `${name}.git`);
  }

  async function commit(
    name: string,
    files: Files,
    { branch = "main", message = "Change" }: { branch?: string; message?: string } = {},
  ): Promise<string> {
    const tree = await mkdtemp(join(root.path, "tree-"));
    const env = { GIT_DIR: dirOf(name), GIT_WORK_TREE: tree, GIT_INDEX_FILE: `${tree}.index` };
    const git = async (...args: string[]) => await runGit(args, { cwd: tree, env });
    try {
      const known = await git("for-each-ref", "--format=%(objectname) %(refname)", "refs/heads/");
      const parent = shaOf(known, branch) ?? shaOf(known, "main");
      if (parent !== undefined) {
        await git("read-tree", parent);
        await git("checkout-index", "--all");
      }
      await layOut(files, tree);
      await git("add", "--all");
      const made = await git("write-tree");
      const parents = parent === undefined ? [] : ["-p", parent];
      const sha = await git("commit-tree", made, ...parents, "-m", message);
      await git("update-ref", `refs/heads/${branch}`, sha);
      return sha;
    } finally {
      await rm(tree, { recursive: true, force: true });
      await rm(`${tree}.index`, { force: true });
    }
  }

  const { url, close } = await listenOnLoopback(server);
  return {
    url,
    credentials,
    requests,
    commit,
    async repository(name, files) {
      const dir = dirOf(name);
      await runGit(["init", "-q", "--bare", "-b", "main", dir], { cwd: root.path });
      const sha = files === undefined ? null : await commit(name, files, { message: "Begin" });
      return { name, cloneUrl: `${url}/${name}.git`, dir, sha };
    },
    git: async (name, ...args) => await runGit(args, { cwd: dirOf(name) }),
    async refs(name) {
      const listed = await runGit(["for-each-ref", "--format=%(refname) %(objectname)"], {
        cwd: dirOf(name),
      });
      const pairs = listed.split("\n").filter((line) => line !== "");
      return Object.fromEntries(
        pairs.map((line): [string, string] => {
          const [ref = "", sha = ""] = line.split(" ");
          return [ref, sha];
        }),
      );
    },
    fail(status, only) {
      failure = status === null ? null : { status, only };
    },
    delay(ms) {
      delayMs = ms;
    },
    async [Symbol.asyncDispose]() {
      await close();
      await backend.close();
      await root[Symbol.asyncDispose]();
    },
  };
}

async function layOut(files: Files, tree: string): Promise<void> {
  if (typeof files === "string") {
    const known = await readdir(FIXTURES);
    if (!known.includes(files)) throw new Error(`no fixture ${files}; there are: ${known.join()}`);
    await cp(join(FIXTURES, files), tree, { recursive: true });
    return;
  }
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(tree, path)), { recursive: true });
    await writeFile(join(tree, path), text);
  }
}

function shaOf(listed: string, branch: string): string | undefined {
  const line = listed.split("\n").find((each) => each.endsWith(` refs/heads/${branch}`));
  return line?.split(" ")[0];
}

function kindOf(path: string): "fetch" | "push" {
  return path.includes("git-receive-pack") ? "push" : "fetch";
}

function refuse(response: ServerResponse, status: number, why: string): void {
  // A body that nobody reads would keep git waiting.
  response.writeHead(status, { "content-type": "text/plain", connection: "close" }).end(`${why}\n`);
}

function credentialOf(header: string | undefined): string | null {
  if (header === undefined) return null;
  const basic = /^basic (.*)$/i.exec(header)?.[1];
  return basic === undefined ? header : Buffer.from(basic, "base64").toString("utf8");
}
