import { z } from "zod";
import { GitHubError, found } from "./errors.ts";
import type { Hooks } from "./hooks.ts";
import type { Identity } from "./identity.ts";
import type { App, Json, Repository, Token, User } from "./state.ts";
import { findRepository } from "./world.ts";
import type { World } from "./world.ts";

export interface Answer {
  status: number;
  body?: unknown;
  /** Instead of a body in JSON. */
  text?: string;
  headers?: Record<string, string>;
}

export interface Call {
  world: World;
  hooks: Hooks;
  /** Below the API's root, without the query. */
  path: string;
  params: Record<string, string>;
  query: URLSearchParams;
  body: unknown;
  accept: string;
  identity: Identity;
  /** What is left of the hour. */
  rate: () => Record<string, number>;
}

export interface RepositoryCall extends Call {
  repository: Repository;
  user: User;
  /** The App that asks, when it is one. */
  app: App | null;
}

/** Who may call: an App by its JWT, an installation's token, any token, anybody; or who has one of the permissions. */
type Needs = "app" | "installation" | "token" | "nothing";

export type Route = {
  method: string;
  /** As the published description has it. */
  path: string;
} & (
  | { needs: Needs; handle: (call: Call) => Answer | Promise<Answer> }
  | { needs: readonly string[]; handle: (call: RepositoryCall) => Answer | Promise<Answer> }
);

type Methods = { [key: string]: (call: Call) => Answer | Promise<Answer> };
type RepositoryMethods = { [key: string]: (call: RepositoryCall) => Answer | Promise<Answer> };

/** `{ "GET /app": handler }`. */
export function routesFor(needs: Needs, methods: Methods): Route[] {
  return Object.entries(methods).map(([key, handle]) => ({ ...split(key), needs, handle }));
}

/** Routes below `/repos/{owner}/{repo}`, for who has one of the permissions (`"issues:write"`). */
export function repositoryRoutes(needs: readonly string[], methods: RepositoryMethods): Route[] {
  return Object.entries(methods).map(([key, handle]) => {
    const { method, path } = split(key);
    return { method, path: `/repos/{owner}/{repo}${path}`, needs, handle };
  });
}

function split(key: string): { method: string; path: string } {
  const [method = "", path = ""] = key.split(" ");
  return { method, path };
}

interface Match {
  route: Route;
  params: Record<string, string>;
}

export interface Router {
  match(method: string, pathname: string): Match | null;
}

export function createRouter(routes: readonly Route[]): Router {
  const compiled = routes
    .map((route) => ({ route, pattern: patternOf(route.path) }))
    // The more is literal, the sooner it is tried.
    .toSorted((a, b) => literals(b.route.path) - literals(a.route.path));
  return {
    match(method, pathname) {
      for (const { route, pattern } of compiled) {
        if (route.method !== method) continue;
        const fits = pattern.exec(pathname);
        if (fits === null) continue;
        const params = Object.entries(fits.groups ?? {}).map(([name, value]) => [
          name,
          decode(value),
        ]);
        return { route, params: Object.fromEntries(params) };
      }
      return null;
    },
  };
}

const MANY = new Set(["{path}"]);

function patternOf(path: string): RegExp {
  const parts = path.split("/").map((part) => {
    const name = /^\{(\w+)\}$/.exec(part)?.[1];
    if (name === undefined) return part.replaceAll(".", "\\.");
    const many = MANY.has(part) || path.includes("/git/ref");
    return `(?<${name}>${many && part !== "{owner}" && part !== "{repo}" ? ".+" : "[^/]+"})`;
  });
  // The root of a repository's contents may be asked for without a path.
  const whole = parts.join("/").replace("/(?<path>.+)", "(?:/|$)(?<path>.*)");
  return new RegExp(`^${whole}$`);
}

function literals(path: string): number {
  return path.split("/").filter((part) => !part.startsWith("{")).length;
}

function decode(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    throw new GitHubError(400, "Bad Request");
  }
}

export function repositoryOf({ world, params }: Pick<Call, "world" | "params">): Repository {
  return found(findRepository(world, params["owner"] ?? "", params["repo"] ?? ""));
}

export function tokenFor({ identity }: Call): Token {
  if (identity.kind !== "token") throw new GitHubError(401, "Requires authentication");
  return identity.token;
}

export function appFor({ identity }: Call): App {
  if (identity.kind !== "app") {
    throw new GitHubError(401, "A JSON web token could not be decoded");
  }
  return identity.app;
}

export function numberIn({ params }: Pick<Call, "params">, name: string): number {
  const value = Number(params[name]);
  if (!Number.isSafeInteger(value)) throw new GitHubError(404, "Not Found");
  return value;
}

/** Reads the body; what does not fit is a 422, as on GitHub. */
export function read<T extends z.ZodType>(schema: T, { body }: Pick<Call, "body">): z.infer<T> {
  const result = schema.safeParse(body ?? {});
  if (result.success) return result.data;
  const errors = result.error.issues.map((issue) => ({
    resource: "Request",
    code: "invalid",
    field: issue.path.join("."),
    message: issue.message,
  }));
  throw new GitHubError(422, "Invalid request.", { errors });
}

export function ok(body: unknown): Answer {
  return { status: 200, body };
}

export function created(body: unknown): Answer {
  return { status: 201, body };
}

export const nothing: Answer = { status: 204 };

/** One page of a list, with the `Link` header that clients follow. */
export function page<T>(
  { query, world, path }: Call,
  items: readonly T[],
  wrap: (items: T[]) => unknown = (each) => each,
): Answer {
  const size = Math.min(100, Number(query.get("per_page") ?? 30) || 30);
  const number = Math.max(1, Number(query.get("page") ?? 1) || 1);
  const last = Math.max(1, Math.ceil(items.length / size));
  const link = (to: number, rel: string) => {
    const search = new URLSearchParams(query);
    search.set("page", String(to));
    return `<${world.apiUrl}${path}?${search.toString()}>; rel="${rel}"`;
  };
  const links = [
    ...(number > 1 ? [link(number - 1, "prev"), link(1, "first")] : []),
    ...(number < last ? [link(number + 1, "next"), link(last, "last")] : []),
  ];
  const body = wrap(items.slice((number - 1) * size, number * size));
  return { ...ok(body), ...(links.length === 0 ? {} : { headers: { link: links.join(", ") } }) };
}

export function counted(name: string, total: number): (items: unknown[]) => Json {
  return (items) => ({ total_count: total, [name]: items });
}
