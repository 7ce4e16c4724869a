import { createPublicKey, generateKeyPairSync, randomBytes } from "node:crypto";
import type { App, Hook, Installation, Repository, Token, User } from "./state.ts";
import type { Permissions } from "./state.ts";

/** All that the local GitHub knows. Plain data, and the few things that must be asked by everybody. */
export interface World {
  url: string;
  apiUrl: string;
  users: User[];
  repositories: Repository[];
  /** Old `owner/name`, lower case: the repository that was called so. */
  formerNames: Map<string, Repository>;
  apps: App[];
  installations: Installation[];
  tokens: Map<string, Token>;
  /** Codes of the manifest flow, each good once and for an hour. */
  manifests: Map<string, { app: App; expiresAt: Date }>;
  /** How far the clock is ahead of the real one. */
  aheadMs: number;
  lastId: number;
}

export function createWorld(url: string): World {
  return {
    url,
    apiUrl: `${url}/api/v3`,
    users: [],
    repositories: [],
    formerNames: new Map(),
    apps: [],
    installations: [],
    tokens: new Map(),
    manifests: new Map(),
    aheadMs: 0,
    lastId: 1_000,
  };
}

export function now(world: World): Date {
  return new Date(Date.now() + world.aheadMs);
}

/** The time as GitHub writes it: without parts of a second. */
export function stamp(world: World): string {
  return now(world)
    .toISOString()
    .replace(/\.\d+Z$/, "Z");
}

export function nextId(world: World): number {
  world.lastId += 1;
  return world.lastId;
}

export function userNamed(world: World, login: string, type: User["type"] = "User"): User {
  const known = world.users.find((user) => user.login.toLowerCase() === login.toLowerCase());
  if (known !== undefined) return known;
  const user = { id: nextId(world), login, type };
  world.users.push(user);
  return user;
}

export function findRepository(world: World, owner: string, name: string): Repository | undefined {
  const wanted = `${owner}/${name}`.toLowerCase();
  return world.repositories.find((each) => fullName(each).toLowerCase() === wanted);
}

export function fullName(repository: Repository): string {
  return `${repository.owner.login}/${repository.name}`;
}

/** Whether an installation (or a token of it) reaches a repository. */
export function reaches(installation: Installation, repository: Repository): boolean {
  if (installation.account !== repository.owner) return false;
  return installation.repositories === null || installation.repositories.has(repository);
}

export interface AppSettings {
  slug: string;
  owner: string;
  permissions: Permissions;
  events: string[];
  hookUrl?: string | undefined;
  hookSecret?: string | undefined;
  /** GitHub's own Actions has a number that clients know. */
  id?: number;
}

export function addApp(world: World, settings: AppSettings): App {
  const { privateKey, publicKey } = keyPair();
  const id = settings.id ?? nextId(world);
  const app: App = {
    id,
    slug: settings.slug,
    name: settings.slug,
    owner: userNamed(world, settings.owner),
    bot: userNamed(world, `${settings.slug}[bot]`, "Bot"),
    clientId: `Iv23${randomBytes(8).toString("hex")}`,
    clientSecret: randomBytes(20).toString("hex"),
    publicKey,
    privateKey,
    permissions: { metadata: "read", ...settings.permissions },
    events: settings.events,
    hook: null,
    createdAt: stamp(world),
  };
  const url = settings.hookUrl;
  const secret = settings.hookSecret ?? randomBytes(20).toString("hex");
  app.hook = addHook(world, "integration", id, { url: url ?? "", secret, events: settings.events });
  app.hook.active = url !== undefined;
  world.apps.push(app);
  return app;
}

export function addHook(
  world: World,
  target: Hook["target"],
  targetId: number,
  settings: { url: string; secret: string; events: string[] },
): Hook {
  return {
    id: nextId(world),
    target,
    targetId,
    ...settings,
    active: true,
    createdAt: stamp(world),
    deliveries: [],
  };
}

function keyPair() {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  return {
    publicKey: createPublicKey(privateKey),
    privateKey: privateKey.export({ type: "pkcs1", format: "pem" }).toString(),
  };
}
