import type { Octokit } from "octokit";
import type { Logger } from "pino";
import { z } from "zod";
import { HubError } from "../../core/errors.ts";
import type { Repository } from "../../core/repository.ts";
import { Secret } from "../../core/secret.ts";
import { asForgeError } from "./errors.ts";

/** Whom GitHub takes the hub for. */
export type Identity = { appId: number; privateKey: Secret } | { token: Secret };

export type Permissions = Record<string, "read" | "write">;

/** Requests to GitHub's REST API: as the App itself, and in one repository. */
export interface Client {
  /** As the App (or as the token's owner): what belongs to no repository. */
  asSelf(route: string, parameters?: Record<string, unknown>): Promise<unknown>;
  /** With the rights of any installation: what everybody may read, but not the App itself. */
  asAnybody(route: string, parameters?: Record<string, unknown>): Promise<unknown>;
  inRepository(
    repository: Repository,
    route: string,
    parameters?: Record<string, unknown>,
  ): Promise<unknown>;
  /** All pages of a list, `maxPages` of a hundred at the most. `key`: where the list stands in an object. */
  list(
    repository: Repository,
    route: string,
    parameters: Record<string, unknown>,
    more: { maxPages: number; key?: string },
  ): Promise<unknown[]>;
  /** For git, and for no more than the repository and what is named here. */
  token(repository: Repository, permissions: Permissions): Promise<Secret>;
}

export interface ClientOptions {
  apiUrl: string;
  identity: Identity;
  /** How long GitHub may take for one answer. */
  timeoutMs: number;
  /** Between two writes of one installation, as GitHub wants it; those that call people are three times as far apart. */
  writePauseMs: number;
  log: Logger;
}

/** What the hub itself does; sessions have no token at all. */
const OWN: Permissions = {
  issues: "write",
  pull_requests: "write",
  checks: "write",
  contents: "write",
  statuses: "read",
  actions: "read",
  metadata: "read",
};
const VERSION = { "x-github-api-version": "2022-11-28" };
/** A token with less than this left is not begun with. */
const RENEW_MS = 600_000;
const REMEMBERED = 5_000;
/** A pause that is shorter is waited for here; longer ones are the queue's. */
const SHORT_PAUSE_SECONDS = 5;

const Token = z.object({ token: z.string(), expiresAt: z.string() });

/** The library comes when it is needed first: hubs without a bot do without it. */
export async function createClient(options: ClientOptions): Promise<Client> {
  const { App, Octokit: Base } = await import("octokit");
  const { apiUrl, identity, timeoutMs, writePauseMs, log } = options;
  const limit = (what: string) => (seconds: number, request: unknown, _: unknown, tries: number) => {
    const { method, url } = z.object({ method: z.string(), url: z.string() }).parse(request);
    log.warn({ method, url, seconds, what }, "github asks for a pause");
    return seconds <= SHORT_PAUSE_SECONDS && tries < 1;
  };
  const optionsFor = (queue: string) => ({
    baseUrl: apiUrl,
    userAgent: "claude-hub",
    retry: { enabled: false },
    throttle: {
      id: queue,
      enabled: writePauseMs > 0,
      onRateLimit: limit("hourly limit"),
      onSecondaryRateLimit: limit("secondary limit"),
    },
  });
  const app =
    "appId" in identity
      ? new App({
          appId: identity.appId,
          privateKey: identity.privateKey.reveal(),
          Octokit: Base.defaults(optionsFor("app")),
        })
      : null;
  const installations = new Map<Repository, number>();
  const clients = new Map<string, { token: string; octokit: Octokit }>();

  async function send(
    octokit: Octokit,
    route: string,
    parameters: Record<string, unknown>,
  ): Promise<{ data: unknown; link: string | undefined }> {
    try {
      const request = { signal: AbortSignal.timeout(timeoutMs) };
      const headers = { ...VERSION, ...z.record(z.string(), z.string()).catch({}).parse(parameters["headers"]) };
      const answer = await octokit.request(route, { ...parameters, headers, request });
      return { data: answer.data, link: answer.headers.link };
    } catch (error) {
      throw asForgeError(error);
    }
  }

  async function installationOf(repository: Repository): Promise<number> {
    const known = installations.get(repository);
    if (known !== undefined) return known;
    const [owner, repo] = repository.split("/");
    if (app === null) throw new Error("a personal token has no installations");
    const { data } = await send(app.octokit, "GET /repos/{owner}/{repo}/installation", { owner, repo });
    const { id } = z.object({ id: z.int() }).parse(data);
    if (installations.size >= REMEMBERED) installations.clear();
    installations.set(repository, id);
    return id;
  }

  async function tokenFor(repository: Repository, permissions: Permissions, anew: boolean) {
    if ("token" in identity) return identity.token.reveal();
    if (app === null) throw new Error("neither an App nor a token");
    const installationId = await installationOf(repository);
    const ask = async (refresh: boolean) => {
      const repositoryNames = [repository.split("/")[1] ?? ""];
      const asked = { type: "installation", installationId, repositoryNames, permissions, refresh };
      try {
        return Token.parse(await app.octokit.auth(asked));
      } catch (error) {
        // It may have been installed anew since.
        installations.delete(repository);
        throw error instanceof z.ZodError ? error : asForgeError(error);
      }
    };
    const found = await ask(anew);
    const isOld = Date.parse(found.expiresAt) - Date.now() < RENEW_MS;
    return (isOld && !anew ? await ask(true) : found).token;
  }

  async function clientFor(repository: Repository, anew: boolean): Promise<Octokit> {
    const token = await tokenFor(repository, OWN, anew);
    const known = clients.get(repository);
    if (known?.token === token) return known.octokit;
    const queue = app === null ? "token" : `installation ${await installationOf(repository)}`;
    const octokit = new Base({ ...optionsFor(queue), auth: token });
    if (clients.size >= REMEMBERED) clients.clear();
    clients.set(repository, { token, octokit });
    return octokit;
  }

  /** A token that GitHub does not take any more is replaced once. */
  async function within(repository: Repository, route: string, parameters: Record<string, unknown>) {
    const [owner, repo] = repository.split("/");
    const all = { owner, repo, ...parameters };
    try {
      return await send(await clientFor(repository, false), route, all);
    } catch (error) {
      if (app === null || !isRefusedCredential(error)) throw error;
      return await send(await clientFor(repository, true), route, all);
    }
  }

  const self = app === null ? null : app.octokit;
  const own = "token" in identity ? new Base({ ...optionsFor("token"), auth: identity.token.reveal() }) : self;

  return {
    async asSelf(route, parameters = {}) {
      if (own === null) throw new Error("neither an App nor a token");
      return (await send(own, route, parameters)).data;
    },
    async asAnybody(route, parameters = {}) {
      if (app === null) return await this.asSelf(route, parameters);
      const { data } = await send(app.octokit, "GET /app/installations", { per_page: 1 });
      const [first] = z.array(z.object({ id: z.int() })).parse(data);
      if (first === undefined)
        throw new HubError("unavailable", "The GitHub App is not installed anywhere", {
          hint: "install it for the repositories that it shall work on",
        });
      const installed = await app.getInstallationOctokit(first.id);
      return (await send(installed, route, parameters)).data;
    },
    async inRepository(repository, route, parameters = {}) {
      return (await within(repository, route, parameters)).data;
    },
    async list(repository, route, parameters, { maxPages, key }) {
      const items: unknown[] = [];
      for (let page = 1; page <= maxPages; page += 1) {
        const { data, link } = await within(repository, route, { ...parameters, per_page: 100, page });
        const list = key === undefined ? data : z.record(z.string(), z.unknown()).parse(data)[key];
        items.push(...z.array(z.unknown()).parse(list));
        if (link?.includes('rel="next"') !== true) break;
      }
      return items;
    },
    async token(repository, permissions) {
      return new Secret(await tokenFor(repository, permissions, false));
    },
  };
}

function isRefusedCredential(error: unknown): boolean {
  const Cause = z.object({ status: z.literal(401) });
  return error instanceof HubError && Cause.safeParse(error.cause).success;
}
