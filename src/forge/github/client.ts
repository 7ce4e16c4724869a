import type { Octokit } from "octokit";
import type { Logger } from "pino";
import { z } from "zod";
import { HubError, upstreamFailed } from "../../core/errors.ts";
import type { Repository } from "../../core/repository.ts";
import { Secret } from "../../core/secret.ts";
import { asApp } from "./app-self.ts";
import { createAsking } from "./asking.ts";
import { asForgeError } from "./errors.ts";
import { createForgeTime } from "./forge-time.ts";
import type { ForgeTime } from "./forge-time.ts";
import { createTurns, kindOf } from "./turns.ts";
import { endOf } from "./text-end.ts";
import { installationTokens, personalToken } from "./tokens.ts";
import type { AppAccess, Identity, IssuedToken, Permissions, Tokens } from "./tokens.ts";

/** Requests to GitHub's REST API: as the App itself, and in one repository. */
export interface Client {
  /** Drops what is remembered of a repository. */
  forget(repository: Repository): Promise<void>;
  /** As the App (or as the token's owner): what belongs to no repository. */
  asSelf(route: string, parameters?: Record<string, unknown>): Promise<unknown>;
  /** With the rights of any installation: what everybody may read, but not the App itself. */
  asAnybody(route: string, parameters?: Record<string, unknown>): Promise<unknown>;
  inRepository(
    repository: Repository,
    route: string,
    parameters?: Record<string, unknown>,
  ): Promise<unknown>;
  /**
   * All pages of a list, `maxPages` of a hundred at the most: the first ones, or with `newest` the last ones. `key`: where
   * the list stands in an object.
   */
  list(
    repository: Repository,
    route: string,
    parameters: Record<string, unknown>,
    more: { maxPages: number; newest?: boolean; key?: string },
  ): Promise<unknown[]>;
  /** A page of a list as it stands, with where the next one is; null: what belongs to no repository. */
  page(
    repository: Repository | null,
    route: string,
    parameters: Record<string, unknown>,
  ): Promise<{ text: string; link: string | undefined }>;
  /** The end of a text of any length. */
  textEnd(
    repository: Repository,
    route: string,
    parameters: Record<string, unknown>,
    maxBytes: number,
  ): Promise<string>;
  /** For git, and for no more than the repository and what is named here. */
  token(repository: Repository, permissions: Permissions, anew: boolean): Promise<Secret>;
  /** The same, but given to nobody else. */
  issue(repository: Repository, permissions: Permissions): Promise<IssuedToken>;
  /** Ends a token that was issued; one that has ended already is fine. */
  revoke(token: Secret): Promise<void>;
}

export interface ClientOptions {
  apiUrl: string;
  identity: Identity;
  /** How long GitHub may take for one answer. */
  timeoutMs: number;
  /** Whether writes of one installation are spaced as GitHub wants it; a local one needs no such care. */
  throttle: boolean;
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
/** More than a page of a hundred ever has. */
const PAGE_BYTES = 4_194_304;
const REMEMBERED = 5_000;

/** The library comes when it is needed first: hubs without a bot do without it. */
export async function createClient(options: ClientOptions): Promise<Client> {
  const { Octokit: Base } = await import("octokit");
  const { apiUrl, identity, timeoutMs, throttle, log } = options;
  const inTurn = createAsking({ turns: throttle ? createTurns() : null, timeoutMs, log });
  const time = createForgeTime();
  const usual = {
    baseUrl: apiUrl,
    userAgent: "claude-hub",
    request: { fetch: timedFetch({ apiUrl, timeoutMs, time }) },
    // What these plugins would do is done here, for all repositories of an installation together.
    retry: { enabled: false },
    throttle: { enabled: false },
  };
  const clients = new Map<string, { token: string; octokit: Octokit }>();

  const withToken = (token: string) => new Base({ ...usual, auth: token });

  const identified = identifiedBy(identity, {
    withToken,
    anybody: () => new Base(usual),
    inTurn,
    time,
  });

  async function clientFor(repository: Repository, anew: boolean): Promise<Octokit> {
    const token = await identified.tokens.get(repository, OWN, anew);
    const known = clients.get(repository);
    if (known?.token === token) return known.octokit;
    const octokit = withToken(token);
    if (clients.size >= REMEMBERED) clients.clear();
    clients.set(repository, { token, octokit });
    return octokit;
  }

  /** A token that GitHub does not take any more is replaced once. */
  async function within(
    repository: Repository,
    route: string,
    parameters: Record<string, unknown>,
  ) {
    const [owner, repo] = repository.split("/");
    const all = { owner, repo, ...parameters };
    const account = await identified.tokens.countedBy(repository);
    const ask = async () => {
      try {
        return await send(await clientFor(repository, false), route, all);
      } catch (error) {
        if ("token" in identity || !isRefusedCredential(error)) throw error;
        return await send(await clientFor(repository, true), route, all);
      }
    };
    return await inTurn(account, route, ask, `${repository} ${route}`);
  }

  return {
    forget(repository) {
      clients.delete(repository);
      identified.tokens.forget(repository);
      return Promise.resolve();
    },
    async asSelf(route, parameters = {}) {
      const ask = () => send(identified.self, route, parameters);
      return (await inTurn("token" in identity ? "token" : "app", route, ask)).data;
    },
    async asAnybody(route, parameters = {}) {
      const ask = async () =>
        await send(withToken(await identified.tokens.anybody()), route, parameters);
      return (await inTurn("token" in identity ? "token" : "anybody", route, ask)).data;
    },
    async inRepository(repository, route, parameters = {}) {
      return (await within(repository, route, parameters)).data;
    },
    async list(repository, route, parameters, { maxPages, newest, key }) {
      const ask = async (page: number) => {
        const { data, link } = await within(repository, route, {
          ...parameters,
          per_page: 100,
          page,
        });
        const list = key === undefined ? data : z.record(z.string(), z.unknown()).parse(data)[key];
        return { items: z.array(z.unknown()).parse(list), link };
      };
      const first = await ask(1);
      const last = lastPageOf(first.link);
      const from = newest === true ? Math.max(1, last - maxPages + 1) : 1;
      const items = from === 1 ? first.items : [];
      for (let page = Math.max(2, from); page < from + maxPages; page += 1) {
        // It may have grown meanwhile; it ends where GitHub says so.
        if (page > last) break;
        const { items: more, link } = await ask(page);
        items.push(...more);
        if (link?.includes('rel="next"') !== true) break;
      }
      return items;
    },
    async page(repository, route, parameters) {
      const asStream = { ...parameters, request: { parseSuccessResponseBody: false } };
      const { data, link } =
        repository === null
          ? await send(identified.self, route, asStream)
          : await within(repository, route, asStream);
      return { text: await textOf(data, PAGE_BYTES), link };
    },
    async textEnd(repository, route, parameters, maxBytes) {
      const asStream = { ...parameters, request: { parseSuccessResponseBody: false } };
      const { data } = await within(repository, route, asStream);
      return await textOf(data, maxBytes);
    },
    async token(repository, permissions, anew) {
      return new Secret(await identified.tokens.get(repository, permissions, anew));
    },
    issue: (repository, permissions) => identified.tokens.issue(repository, permissions),
    async revoke(token) {
      // A person's own token is not the hub's to end.
      if ("token" in identity) return;
      try {
        await send(withToken(token.reveal()), "DELETE /installation/token", {});
      } catch (error) {
        if (!isRefusedCredential(error)) throw error;
      }
    },
  };
}

/** The end of it. */
async function textOf(data: unknown, maxBytes: number): Promise<string> {
  if (!(data instanceof ReadableStream)) return "";
  try {
    return await endOf(data, maxBytes);
  } catch (error) {
    throw upstreamFailed("forge", error);
  }
}

async function send(
  octokit: Octokit,
  route: string,
  parameters: Record<string, unknown>,
): Promise<{ data: unknown; link: string | undefined }> {
  try {
    const headers = {
      ...VERSION,
      ...z.record(z.string(), z.string()).catch({}).parse(parameters["headers"]),
    };
    const answer = await octokit.request(route, { ...parameters, headers });
    return { data: answer.data, link: answer.headers.link };
  } catch (error) {
    throw asForgeError(error);
  }
}

/** The hub's clients: itself, and what makes tokens. */
function identifiedBy(
  identity: Identity,
  by: {
    withToken(token: string): Octokit;
    anybody(): Octokit;
    inTurn: ReturnType<typeof createAsking>;
    time: ForgeTime;
  },
): { tokens: Tokens; self: Octokit } {
  const { withToken, inTurn, time } = by;
  if ("token" in identity) {
    const { token } = identity;
    return { tokens: personalToken(token), self: withToken(token.reveal()) };
  }
  const self = asApp(by.anybody(), identity, time);
  const access: AppAccess = {
    async asApp(route, parameters) {
      const work = () => send(self, route, parameters);
      // Tokens are no content, and must not wait like it.
      return (await (kindOf(route) === "read" ? inTurn("app", route, work) : work())).data;
    },
    withToken: async (token, route, parameters) =>
      (await send(withToken(token), route, parameters)).data,
  };
  return { tokens: installationTokens(access, time), self };
}

/** An answer's time is counted from when it is asked for: before that it may wait for its turn. */
function timedFetch(of: { apiUrl: string; timeoutMs: number; time: ForgeTime }): typeof fetch {
  return async (url, init) => {
    const askedAt = Date.now();
    const answer = await fetch(url, { ...init, signal: AbortSignal.timeout(of.timeoutMs) });
    // Elsewhere, where files and logs are, the clock is somebody else's.
    if (urlOf(url).startsWith(of.apiUrl)) of.time.hear(answer.headers.get("date"), askedAt);
    return answer;
  };
}

function urlOf(asked: Parameters<typeof fetch>[0]): string {
  return asked instanceof Request ? asked.url : asked.toString();
}

/** As GitHub names it in `Link`; a list of one page has none. */
function lastPageOf(link: string | undefined): number {
  const [, page] = /[?&]page=(\d+)[^>]*>; rel="last"/.exec(link ?? "") ?? [];
  return page === undefined ? 1 : Number(page);
}

function isRefusedCredential(error: unknown): boolean {
  const Cause = z.object({ status: z.literal(401) });
  return error instanceof HubError && Cause.safeParse(error.cause).success;
}
