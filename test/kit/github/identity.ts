import { randomBytes, verify } from "node:crypto";
import { z } from "zod";
import { GitHubError, notFound } from "./errors.ts";
import type { App, Installation, Level, Permissions, Repository, Role, Token } from "./state.ts";
import { nextId, now, reaches } from "./world.ts";
import type { World } from "./world.ts";

/** Who asks: an App by its JWT, a user or an installation by a token, or nobody known. */
export type Identity =
  | { kind: "app"; app: App }
  | { kind: "token"; token: Token }
  | { kind: "nobody" };

const LEVELS: readonly Level[] = ["read", "write", "admin"];
const ROLES: readonly Role[] = ["read", "triage", "write", "maintain", "admin"];
const TOKEN_LIFE_MS = 3_600_000;
/** What a user must be for a permission at a level. */
const ROLE_FOR: Record<string, Partial<Record<Level, Role>>> = {
  contents: { write: "write" },
  checks: { write: "admin" },
  statuses: { write: "write" },
  actions: { write: "write" },
  administration: { read: "admin", write: "admin" },
  repository_hooks: { read: "admin", write: "admin" },
};

const claimsSchema = z.object({ iat: z.number(), exp: z.number(), iss: z.coerce.string() });

export function identify(world: World, authorization: string | undefined): Identity {
  if (authorization === undefined) return { kind: "nobody" };
  const [scheme = "", value = ""] = authorization.split(" ");
  if (scheme.toLowerCase() === "basic") {
    const password = Buffer.from(value, "base64").toString("utf8").split(":").slice(1).join(":");
    return tokenOf(world, password);
  }
  if (/^(bearer|token)$/i.test(scheme) && /^eyJ[\w-]*\.[\w-]+\.[\w-]+$/.test(value)) {
    return { kind: "app", app: appOf(world, value) };
  }
  return tokenOf(world, value);
}

function tokenOf(world: World, value: string): Identity {
  const token = world.tokens.get(value);
  const expired = token?.expiresAt != null && token.expiresAt <= now(world);
  if (token === undefined || expired) throw new GitHubError(401, "Bad credentials");
  if (token.installation?.suspendedAt != null) {
    throw new GitHubError(403, "This installation has been suspended");
  }
  return { kind: "token", token };
}

function appOf(world: World, jwt: string): App {
  const [head = "", body = "", signature = ""] = jwt.split(".");
  const claims = claimsSchema.safeParse(parsed(Buffer.from(body, "base64url").toString()));
  const undecodable = new GitHubError(401, "A JSON web token could not be decoded");
  if (!claims.success) throw undecodable;
  const { iat, exp, iss } = claims.data;
  const app = world.apps.find((each) => String(each.id) === iss || each.clientId === iss);
  if (app === undefined) throw new GitHubError(404, "Integration not found");
  const signed = Buffer.from(`${head}.${body}`);
  if (!verify("sha256", signed, app.publicKey, Buffer.from(signature, "base64url"))) {
    throw undecodable;
  }
  const seconds = now(world).getTime() / 1_000;
  if (iat > seconds + 1) {
    const why = "must be an Integer representing the time that the assertion was issued";
    throw new GitHubError(401, `'Issued at' claim ('iat') ${why}`);
  }
  if (exp <= seconds || exp - seconds > 601) {
    const why =
      "must be a numeric value representing the future time at which the assertion expires";
    throw new GitHubError(401, `'Expiration time' claim ('exp') ${why}`);
  }
  return app;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

export function giveToken(world: World, token: Omit<Token, "value" | "expiresAt">): Token {
  const prefix = token.installation === null ? "ghp_" : "ghs_";
  const made: Token = {
    ...token,
    value: prefix + tokenText(token.installation),
    expiresAt: token.installation === null ? null : new Date(now(world).getTime() + TOKEN_LIFE_MS),
  };
  world.tokens.set(made.value, made);
  return made;
}

/** Installation tokens have the form of 2026: the App's number and a JWT, more than 500 characters with dots. */
function part(bytes: number): string {
  return randomBytes(bytes).toString("base64url");
}

function tokenText(installation: Installation | null): string {
  if (installation === null) return randomBytes(27).toString("base64url").replaceAll(/[-_]/g, "0");
  return `${installation.app.id}_eyJ${part(27)}.${part(99)}.${part(256)}`;
}

/** The permissions that a token has; null for a user's own, who may do what his role lets him. */
function permissionsOf(token: Token): Permissions | null {
  if (token.installation === null) return token.permissions;
  return token.permissions ?? token.installation.app.permissions;
}

export function roleOf(repository: Repository, user: Token["user"]): Role | null {
  if (repository.owner === user) return "admin";
  const role = repository.collaborators.get(user) ?? null;
  return role ?? (repository.private ? null : "read");
}

export function canSee(identity: Identity, repository: Repository): boolean {
  if (identity.kind !== "token") return !repository.private;
  const { installation, repositories, user } = identity.token;
  if (installation === null) return roleOf(repository, user) !== null;
  if (!reaches(installation, repository)) return !repository.private;
  return repositories === null || repositories.has(repository) || !repository.private;
}

/** Lets a call pass that has one of these permissions (`issues:write`), and throws GitHub's refusal otherwise. */
export function authorize(
  world: World,
  identity: Identity,
  repository: Repository,
  needs: readonly string[],
): void {
  if (!canSee(identity, repository)) throw notFound();
  if (needs.some((need) => allows(identity, repository, need))) return;
  if (identity.kind === "nobody") {
    throw new GitHubError(401, "Requires authentication");
  }
  const installed = identity.kind === "token" && identity.token.installation !== null;
  if (!installed && needs.every((need) => need === "checks:write")) {
    throw new GitHubError(403, "You must authenticate via a GitHub App.");
  }
  const who = installed ? "integration" : "personal access token";
  throw new GitHubError(403, `Resource not accessible by ${who}`, {
    documentation_url: `${world.url}/rest`,
  });
}

export function allows(identity: Identity, repository: Repository, need: string): boolean {
  const [name = "", wanted = "read"] = need.split(":");
  const level = LEVELS.find((each) => each === wanted) ?? "read";
  if (identity.kind !== "token") {
    // Anybody reads what is public; an App's JWT only tells about the App.
    return identity.kind === "nobody" && level === "read" && !(name in ROLE_FOR && needsRole(name));
  }
  const { token } = identity;
  const permissions = permissionsOf(token);
  if (token.installation !== null) {
    const listed = token.repositories === null || token.repositories.has(repository);
    if (!reaches(token.installation, repository) || !listed) return name === "metadata";
  } else {
    const role = roleOf(repository, token.user);
    if (role === null) return false;
    const least = ROLE_FOR[name]?.[level] ?? "read";
    if (ROLES.indexOf(role) < ROLES.indexOf(least)) return false;
    // Checks are written by Apps only.
    if (name === "checks" && level === "write") return false;
    if (permissions === null) return true;
  }
  const has = permissions?.[name] ?? (name === "metadata" ? "read" : undefined);
  return has !== undefined && LEVELS.indexOf(has) >= LEVELS.indexOf(level);
}

function needsRole(name: string): boolean {
  return ROLE_FOR[name]?.read !== undefined;
}

export function addInstallation(
  world: World,
  settings: Pick<Installation, "app" | "account" | "repositories" | "createdAt">,
): Installation {
  const installation = { id: nextId(world), suspendedAt: null, ...settings };
  world.installations.push(installation);
  return installation;
}
