import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import { gitEnvironment } from "./git.ts";

const HEAD_LIMIT_BYTES = 65_536;

export interface GitBackend {
  /** `env` is for the hooks of the repository. */
  serve: (
    request: IncomingMessage,
    response: ServerResponse,
    env?: Record<string, string>,
  ) => Promise<void>;
  /** Ends what still runs. */
  close: () => Promise<void>;
}

/** Serves the bare repositories below `root` by `git http-backend`, git's own CGI program (RFC 3875). */
export function createGitBackend(root: string): GitBackend {
  const running = new Set<ChildProcess>();

  async function serve(
    request: IncomingMessage,
    response: ServerResponse,
    env: Record<string, string> = {},
  ): Promise<void> {
    const child = spawn("git", ["http-backend"], {
      env: { ...gitEnvironment, ...env, ...cgiEnvironment(request, root) },
      stdio: ["pipe", "pipe", "pipe"],
      // A process group of its own, so that what it starts can be ended with it.
      detached: true,
    });
    running.add(child);
    child.once("close", () => running.delete(child));
    let complaint = "";
    child.stderr.on("data", (chunk: Buffer) => {
      complaint = (complaint + chunk.toString("utf8")).slice(0, 4_096);
    });
    response.once("close", () => {
      if (!response.writableFinished) endGroup(child);
    });
    // Git may refuse before it has read the whole body; the client must be able to finish sending all the same.
    child.stdin.on("error", () => request.resume());
    request.pipe(child.stdin);
    try {
      await pipeline(bodyOf(child.stdout, response), response);
    } catch (error) {
      if (response.destroyed) return;
      throw new Error(`git http-backend: ${complaint}`, { cause: error });
    }
  }

  return {
    serve,
    async close() {
      await Promise.all(
        [...running].map(async (child) => {
          const closed = once(child, "close");
          endGroup(child);
          await closed;
        }),
      );
    },
  };
}

function endGroup({ pid, exitCode, signalCode }: ChildProcess): void {
  if (pid === undefined || exitCode !== null || signalCode !== null) return;
  process.kill(-pid, "SIGKILL");
}

function cgiEnvironment(request: IncomingMessage, root: string): Record<string, string> {
  const { pathname, search } = new URL(request.url ?? "/", "http://loopback");
  const { headers } = request;
  return {
    GATEWAY_INTERFACE: "CGI/1.1",
    SERVER_PROTOCOL: "HTTP/1.1",
    GIT_PROJECT_ROOT: root,
    GIT_HTTP_EXPORT_ALL: "1",
    REQUEST_METHOD: request.method ?? "GET",
    PATH_INFO: decodeURIComponent(pathname),
    QUERY_STRING: search.slice(1),
    CONTENT_TYPE: headers["content-type"] ?? "",
    CONTENT_LENGTH: headers["content-length"] ?? "",
    HTTP_CONTENT_ENCODING: headers["content-encoding"] ?? "",
    GIT_PROTOCOL: String(headers["git-protocol"] ?? ""),
    // Whoever comes this far is let in; with a user named, http-backend accepts pushes.
    REMOTE_USER: "x-access-token",
    REMOTE_ADDR: "127.0.0.1",
    // No housekeeping behind a test's back.
    GIT_CONFIG_COUNT: "1",
    GIT_CONFIG_KEY_0: "gc.auto",
    GIT_CONFIG_VALUE_0: "0",
  };
}

/** Takes the CGI head off the output, makes it the answer's, and gives the rest as it comes. */
async function* bodyOf(
  output: AsyncIterable<string | Buffer>,
  response: ServerResponse,
): AsyncGenerator<Buffer> {
  let head: Buffer | null = Buffer.alloc(0);
  for await (const chunk of output) {
    const bytes = typeof chunk === "string" ? Buffer.from(chunk) : chunk;
    if (head === null) {
      yield bytes;
      continue;
    }
    head = Buffer.concat([head, bytes]);
    const end = head.indexOf("\r\n\r\n");
    if (end < 0 && head.length > HEAD_LIMIT_BYTES) throw new Error("the head has no end");
    if (end < 0) continue;
    begin(head.subarray(0, end).toString("latin1"), response);
    yield head.subarray(end + 4);
    head = null;
  }
  if (head !== null) throw new Error("no answer");
}

function begin(head: string, response: ServerResponse): void {
  let status = 200;
  for (const line of head.split("\r\n")) {
    const colon = line.indexOf(":");
    const name = line.slice(0, colon);
    const value = line.slice(colon + 1).trim();
    if (name.toLowerCase() === "status") status = Number.parseInt(value, 10);
    else response.setHeader(name, value);
  }
  response.writeHead(status);
}
