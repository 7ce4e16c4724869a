import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
import { createGitBackend } from "../forge/git-backend.ts";
import { GitHubError } from "./errors.ts";
import { changesOf, refsOf } from "./git.ts";
import type { Hooks } from "./hooks.ts";
import { allows, canSee, identify } from "./identity.ts";
import type { Identity } from "./identity.ts";
import { afterPush } from "./push.ts";
import type { LoggedRequest } from "./server.ts";
import type { Repository, User } from "./state.ts";
import { findRepository, userNamed } from "./world.ts";
import type { World } from "./world.ts";

export interface GitDoor {
  serve(request: IncomingMessage, response: ServerResponse, record: LoggedRequest): Promise<void>;
  close(): Promise<void>;
}

/** Smart HTTP by real git. Tokens count here as they do for the API: repositories, permissions, expiry. */
export function createGitDoor({
  world,
  hooks,
  root,
}: {
  world: World;
  hooks: Hooks;
  root: string;
}): GitDoor {
  const backend = createGitBackend(root);

  async function serve(
    request: IncomingMessage,
    response: ServerResponse,
    record: LoggedRequest,
  ): Promise<void> {
    const url = new URL(request.url ?? "/", world.url);
    const [, owner = "", asked = "", rest = ""] =
      /^\/([^/]+)\/([^/]+)(\/.*)$/.exec(url.pathname) ?? [];
    const name = asked.replace(/\.git$/, "");
    const former = world.formerNames.get(`${owner}/${name}`.toLowerCase());
    if (former !== undefined) {
      const location = `${world.url}/${former.owner.login}/${former.name}.git${rest}${url.search}`;
      refuse(response, 301, "Moved Permanently", { location });
      return;
    }
    const push = `${rest}${url.search}`.includes("git-receive-pack");
    const admitted = admit(request, record, findRepository(world, owner, name), push);
    if ("status" in admitted) {
      const challenge = { "www-authenticate": 'Basic realm="GitHub"' };
      refuse(response, admitted.status, admitted.message, admitted.status === 401 ? challenge : {});
      return;
    }
    const { repository, identity } = admitted;
    // The directory keeps its number whatever the repository is called.
    request.url = `/${join(repository.dir).split("/").at(-1) ?? ""}${rest}${url.search}`;
    const workflows = allows(identity, repository, "workflows:write");
    const bot = identity.kind === "token" && identity.token.installation !== null;
    const env = bot && !workflows ? { KIT_REFUSE_WORKFLOWS: "1" } : {};
    if (request.method !== "POST" || !push) {
      await backend.serve(request, response, env);
      return;
    }
    const user = identity.kind === "token" ? identity.token.user : userNamed(world, "ghost");
    await receive(repository, user, async () => await backend.serve(request, response, env));
  }

  /** One push after the other, each with all that follows from it. */
  async function receive(
    repository: Repository,
    user: User,
    push: () => Promise<void>,
  ): Promise<void> {
    const before = repository.idle;
    const { promise, resolve } = Promise.withResolvers<void>();
    repository.idle = promise;
    try {
      await before;
      const old = await refsOf(repository);
      await push();
      await afterPush(world, hooks, repository, user, changesOf(old, await refsOf(repository)));
    } finally {
      resolve();
    }
  }

  function admit(
    request: IncomingMessage,
    record: LoggedRequest,
    repository: Repository | undefined,
    push: boolean,
  ): { repository: Repository; identity: Identity } | { status: number; message: string } {
    let identity: Identity;
    try {
      identity = identify(world, request.headers.authorization);
    } catch (error) {
      const status = error instanceof GitHubError ? error.status : 401;
      return { status, message: "Invalid username or token." };
    }
    if (identity.kind === "token") {
      record.by = identity.token.user.login;
      record.token = identity.token.value;
    }
    const nobody = identity.kind === "nobody";
    if (repository === undefined || !canSee(identity, repository)) {
      return nobody
        ? { status: 401, message: "Repository not found." }
        : { status: 404, message: "Repository not found." };
    }
    if (push && nobody) return { status: 401, message: "Authentication required." };
    if (push && repository.archived) {
      return { status: 403, message: "This repository was archived so it is read-only." };
    }
    const may = allows(identity, repository, push ? "contents:write" : "contents:read");
    // What is public, anybody reads.
    if (!may && (push || repository.private)) {
      return { status: 403, message: "Write access to repository not granted." };
    }
    return { repository, identity };
  }

  return { serve, close: async () => await backend.close() };
}

function refuse(
  response: ServerResponse,
  status: number,
  why: string,
  headers: Record<string, string> = {},
): void {
  // A body that nobody reads would keep git waiting.
  const plain = { "content-type": "text/plain", connection: "close" };
  response.writeHead(status, { ...plain, ...headers }).end(`${why}\n`);
}
