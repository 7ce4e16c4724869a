import type { IncomingHttpHeaders } from "node:http";
import { GitHubError } from "./errors.ts";
import type { Hooks } from "./hooks.ts";
import { authorize, identify } from "./identity.ts";
import type { Identity } from "./identity.ts";
import type { Limits } from "./limits.ts";
import type { Validator } from "./openapi/validator.ts";
import { appFor, createRouter, repositoryOf, tokenFor } from "./router.ts";
import type { Answer, Call, Route } from "./router.ts";
import { routes } from "./routes/all.ts";
import type { LoggedRequest } from "./server.ts";
import type { App, User } from "./state.ts";
import { fullName, now, userNamed } from "./world.ts";
import type { World } from "./world.ts";

interface Incoming {
  path: string;
  url: URL;
  body: Buffer;
  headers: IncomingHttpHeaders;
  record: LoggedRequest;
}

export interface Api {
  routeOf(method: string, path: string): string | null;
  answer(incoming: Incoming): Promise<Answer>;
  /** As if `identity` had asked, but without log, limits and faults. */
  call(identity: Identity, method: string, path: string, body?: unknown): Promise<Answer>;
}

interface Deps {
  world: World;
  hooks: Hooks;
  limits: Limits;
  validator: Validator;
}

export function createApi({ world, hooks, limits, validator }: Deps): Api {
  const router = createRouter(routes);

  async function answer({ path, url, body, headers, record }: Incoming): Promise<Answer> {
    let who: Identity = { kind: "nobody" };
    let end: (() => void) | null = null;
    const fixed = { "x-github-media-type": "github.v3", "x-github-api-version": "2022-11-28" };
    try {
      record.body = parse(body);
      who = identify(world, headers.authorization);
      record.by = nameOf(who);
      record.token = who.kind === "token" ? who.token.value : null;
      end = limits.begin(who, record.method, makesContent(record));
      if (headers["user-agent"] === undefined) throw new GitHubError(403, "No user agent.");
      const moved = movedTo(world, path, url.search, record.method);
      if (moved !== null) return moved;
      const matched = router.match(record.method, byName(world, path));
      if (matched === null) {
        validator.unknown(record);
        throw new GitHubError(404, "Not Found");
      }
      const wrong = validator.request(matched.route, matched.params, url.searchParams, record);
      if (wrong !== null && matched.route.method !== "GET") throw wrong;
      const made = await run(matched.route, {
        world,
        hooks,
        path,
        params: matched.params,
        query: url.searchParams,
        body: record.body,
        accept: headers.accept ?? "",
        identity: who,
        rate: () => limits.body(who),
      });
      validator.answer(matched.route, made);
      return { ...made, headers: { ...fixed, ...limits.headers(who), ...made.headers } };
    } catch (error) {
      const refusal = refusalOf(world, error);
      return { ...refusal, headers: { ...fixed, ...limits.headers(who), ...refusal.headers } };
    } finally {
      end?.();
    }
  }

  return {
    answer,
    routeOf: (method, path) => router.match(method, byName(world, path))?.route.path ?? null,
    async call(identity, method, path, body) {
      const url = new URL(world.apiUrl + path);
      const name = url.pathname.replace("/api/v3", "");
      const matched = router.match(method, name);
      if (matched === null) throw new Error(`no route ${method} ${path}`);
      const made = await run(matched.route, {
        world,
        hooks,
        path: name,
        params: matched.params,
        query: url.searchParams,
        body,
        accept: "",
        identity,
        rate: () => limits.body(identity),
      });
      validator.answer(matched.route, made);
      return made;
    },
  };
}

async function run(route: Route, call: Call): Promise<Answer> {
  const { needs } = route;
  if (typeof needs === "string") {
    if (needs === "app") appFor(call);
    else if (needs !== "nothing") {
      const { installation } = tokenFor(call);
      if (needs === "installation" && installation === null) {
        throw new GitHubError(403, "You must authenticate with an installation access token.");
      }
    }
    return await route.handle(call);
  }
  const repository = repositoryOf(call);
  authorize(call.world, call.identity, repository, needs);
  // What a push has set off is over before anything is read.
  await repository.idle;
  return await route.handle({ ...call, repository, ...actorOf(call) });
}

function actorOf({ world, identity }: Call): { user: User; app: App | null } {
  if (identity.kind === "token") {
    return { user: identity.token.user, app: identity.token.installation?.app ?? null };
  }
  if (identity.kind === "app") return { user: identity.app.bot, app: identity.app };
  return { user: userNamed(world, "ghost"), app: null };
}

function nameOf(who: Identity): string | null {
  if (who.kind === "app") return `app:${who.app.slug}`;
  return who.kind === "token" ? who.token.user.login : null;
}

function parse(body: Buffer): unknown {
  if (body.length === 0) return undefined;
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    throw new GitHubError(400, "Problems parsing JSON");
  }
}

function makesContent({ method, route }: LoggedRequest): boolean {
  return method !== "GET" && /\/(issues|pulls|comments|reviews|replies)(\/\{|$)/.test(route ?? "");
}

/** After a rename or transfer the old name leads to the new one. */
function movedTo(world: World, path: string, search: string, method: string): Answer | null {
  const [, name = "", rest = ""] = /^\/repos\/([^/]+\/[^/]+)(.*)$/.exec(path) ?? [];
  const repository = world.formerNames.get(name.toLowerCase());
  if (repository === undefined) return null;
  const location = `${world.apiUrl}/repositories/${repository.id}${rest}${search}`;
  const status = method === "GET" ? 301 : 307;
  const message = status === 301 ? "Moved Permanently" : "Temporary Redirect";
  return { status, headers: { location }, body: { message, url: location } };
}

function byName(world: World, path: string): string {
  const [, id, rest = ""] = /^\/repositories\/(\d+)(.*)$/.exec(path) ?? [];
  if (id === undefined) return path;
  const repository = world.repositories.find((each) => String(each.id) === id);
  return repository === undefined ? path : `/repos/${fullName(repository)}${rest}`;
}

function refusalOf(world: World, error: unknown): Answer {
  if (!(error instanceof GitHubError)) {
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { status: 500, body: { message: `the local GitHub failed: ${message}` } };
  }
  const { status, message, more, headers } = error;
  const body = { message, documentation_url: `${world.url}/rest`, status: String(status), ...more };
  return { status, body, headers: { ...headers, date: now(world).toUTCString() } };
}
