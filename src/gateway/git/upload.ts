import type { IncomingMessage, ServerResponse } from "node:http";
import { invalidRequest } from "../../core/errors.ts";
import type { Repository } from "../../core/repository.ts";
import type { GatewaySession } from "../session.ts";
import { write } from "../write.ts";
import { readBody } from "./body.ts";
import type { GitLimits } from "./limits.ts";
import type { Mirror } from "./mirror.ts";
import { FLUSH, pktLine } from "./pkt-line.ts";
import { GitError, gitEnvironment, killGit, runGit, spawnGit } from "./process.ts";
import type { Slots } from "./slots.ts";

/** Reads: what `git clone` and `git fetch` ask, answered by `git upload-pack` from the mirror. */
export interface Upload {
  advertise(req: IncomingMessage, res: ServerResponse, session: GatewaySession): Promise<void>;
  serve(req: IncomingMessage, res: ServerResponse, session: GatewaySession): Promise<void>;
}

export function createUpload(options: {
  mirror: Mirror;
  slots: Slots;
  environment: Readonly<Record<string, string>>;
  limits: GitLimits;
}): Upload {
  const { mirror, limits } = options;
  /** In version 2 the greeting says what the server can do and nothing of the repository, so one is enough. */
  let greeting: Promise<string> | undefined;

  function environment(protocol: string | undefined): Record<string, string> {
    const env = gitEnvironment(options.environment, [
      ["uploadpack.allowFilter", "true"],
      // A branch may move between the two requests of one fetch; what it named before is still fine to give.
      ["uploadpack.allowAnySHA1InWant", "true"],
    ]);
    return protocol === undefined ? env : { ...env, GIT_PROTOCOL: protocol };
  }

  async function greet(session: GatewaySession, protocol: string | undefined): Promise<string> {
    const run = () =>
      options.slots.run(session.sessionId, () =>
        runGit({
          args: [
            "upload-pack",
            "--stateless-rpc",
            "--advertise-refs",
            mirror.dir(session.repository),
          ],
          env: environment(protocol),
          timeoutMs: limits.commandTimeoutMs,
          maxOutputBytes: limits.maxListBytes,
        }),
      );
    if (protocol !== "version=2") return (await run()).stdout;
    greeting ??= run().then(({ stdout }) => stdout);
    return await greeting.catch((error: unknown) => {
      greeting = undefined;
      throw error;
    });
  }

  return {
    async advertise(req, res, session) {
      await mirror.freshen(session.repository, limits.mirrorMaxAgeMs);
      const refs = await greet(session, protocolOf(req));
      res.writeHead(200, headers("upload-pack-advertisement"));
      res.end(Buffer.concat([pktLine("# service=git-upload-pack\n"), FLUSH, Buffer.from(refs)]));
    },
    async serve(req, res, session) {
      const { sessionId, repository } = session;
      await mirror.freshen(repository, limits.mirrorMaxAgeMs);
      await options.slots.run(sessionId, async () => {
        if (!res.destroyed) await stream(req, res, repository);
      });
    },
  };

  async function stream(
    req: IncomingMessage,
    res: ServerResponse,
    repository: Repository,
  ): Promise<void> {
    const env = environment(protocolOf(req));
    const child = spawnGit(["upload-pack", "--stateless-rpc", mirror.dir(repository)], env);
    const kill = () => killGit(child);
    res.once("close", kill);
    const timer = setTimeout(kill, limits.transferTimeoutMs);
    const closed = new Promise<number | null>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", resolve);
    });
    let stderr = "";
    child.stderr.on(
      "data",
      (chunk: Buffer) => (stderr = (stderr + chunk.toString()).slice(-2_000)),
    );
    for (const [name, value] of Object.entries(headers("upload-pack-result")))
      res.setHeader(name, value);
    try {
      const feeding = (async () => {
        for await (const chunk of readBody(req, limits.maxFetchRequestBytes))
          await write(child.stdin, chunk);
        child.stdin.end();
      })();
      const emptying = (async () => {
        for await (const chunk of child.stdout) await write(res, chunk);
      })();
      // A request that is refused while it is read ends everything; one that git no longer reads ends with git.
      await Promise.race([emptying, feeding.then(() => emptying)]);
      const code = await closed;
      if (code !== 0) mirror.doubt(repository, stderr);
      // Told in the protocol itself when anything has been sent; nothing at all would look like success.
      if (code !== 0 && stderr.includes("protocol error") && !res.headersSent)
        throw invalidRequest("", "the request is not what git sends");
      if (code !== 0 && !res.headersSent)
        throw new GitError("upload-pack", `ended with ${code}`, { stdout: "", stderr });
      res.end();
    } finally {
      clearTimeout(timer);
      res.off("close", kill);
      kill();
    }
  }
}

export function headers(service: string): Record<string, string> {
  return { "content-type": `application/x-git-${service}`, "cache-control": "no-cache" };
}

function protocolOf(req: IncomingMessage): string | undefined {
  const protocol = req.headers["git-protocol"];
  return typeof protocol === "string" && /^version=[012]$/.test(protocol) ? protocol : undefined;
}
