import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { listenOnLoopback } from "../network/loopback.ts";
import { createTempDir } from "../temp-dir.ts";
import { createApi } from "./api.ts";
import { createFaults } from "./faults.ts";
import type { Fault, FaultSettings } from "./faults.ts";
import { createGitDoor } from "./git-door.ts";
import { createHooks } from "./hooks.ts";
import { addInstallation, giveToken } from "./identity.ts";
import { choose, emitInstallation, suspend, uninstall } from "./installations.ts";
import { createLimits } from "./limits.ts";
import { createValidator } from "./openapi/validator.ts";
import { createPeople } from "./people.ts";
import type { People } from "./people.ts";
import { createRepositories } from "./repositories.ts";
import type { RepositorySettings, LocalRepository } from "./repositories.ts";
import { createGitHubServer } from "./server.ts";
import type { LoggedRequest } from "./server.ts";
import type { App, Hook, Permissions, User } from "./state.ts";
import { addApp, createWorld, findRepository, stamp, userNamed } from "./world.ts";
import type { World } from "./world.ts";

export interface GitHubSettings {
  /** Holds GitHub's secondary limits, too: content a minute and an hour, points, requests at once. */
  secondaryLimits?: boolean;
  /** How long a webhook's receiver has; GitHub gives it 10 s. */
  hookTimeoutMs?: number;
}

export interface NewApp {
  slug?: string;
  owner?: string;
  permissions?: Permissions;
  events?: string[];
  /** Where webhooks go; on loopback. Without it the App has none. */
  hookUrl?: string;
  hookSecret?: string;
}

export interface LocalApp {
  id: number;
  slug: string;
  clientId: string;
  clientSecret: string;
  privateKey: string;
  webhookSecret: string;
  hook: Hook;
  /** `slug[bot]`, who acts with the App's tokens. */
  bot: User;
}

export interface LocalInstallation {
  id: number;
  uninstall(): void;
  suspend(): void;
  unsuspend(): void;
  add(repository: string): void;
  remove(repository: string): void;
}

export interface LocalGitHub extends AsyncDisposable {
  /** Of the pages and of git: `GITHUB_SERVER_URL`. */
  url: string;
  /** Of the REST API: `GITHUB_API_URL`. */
  apiUrl: string;
  /** Somebody with an account; made when new. With a personal access token of theirs. */
  user(login: string): User & { token: string };
  organization(login: string): User;
  /** Makes `owner/name` with these files on `main`. */
  repository(name: string, settings?: RepositorySettings): Promise<LocalRepository>;
  app(settings?: NewApp): LocalApp;
  /** All that there are, with hooks, oldest first. */
  apps(): LocalApp[];
  /** Installs an App on an account: on all of its repositories, or on those named. */
  install(app: LocalApp, account: string, repositories?: string[]): LocalInstallation;
  /** Makes a request as a person does, in the browser: without log, limits, and faults. */
  as: People;
  fault(settings: FaultSettings): Fault;
  /** The last 10,000, oldest first. */
  requests: readonly LoggedRequest[];
  /** Leaves everybody so many requests of the hour. */
  leaveRequests(remaining: number): void;
  /** Puts GitHub's clock forward (or back): tokens expire by it, and its `Date` says it. */
  advance(ms: number): void;
  /** Ends every token of installations now. */
  revokeTokens(): void;
  /** Resolves when every webhook sent so far has been answered. */
  settled(): Promise<void>;
  /** Requests that do not fit GitHub's description, since the last time. Disposing throws when some are left. */
  takeInvalid(): string[];
}

/** A GitHub on loopback: REST, webhooks, Apps and git, for as long as a test needs it. */
export async function createGitHub(settings: GitHubSettings = {}): Promise<LocalGitHub> {
  const root = await createTempDir("github");
  const repositoriesDir = join(root.path, "repositories");
  await mkdir(repositoriesDir);
  const world = createWorld("http://127.0.0.1");
  const hooks = createHooks(world, { timeoutMs: settings.hookTimeoutMs ?? 10_000 });
  const limits = createLimits(world, { secondary: settings.secondaryLimits ?? false });
  const validator = createValidator();
  const faults = createFaults();
  const requests: LoggedRequest[] = [];
  const api = createApi({ world, hooks, limits, validator });
  const git = createGitDoor({ world, hooks, root: repositoriesDir });
  const server = createGitHubServer({ world, api, git, faults, requests });
  const { url, close } = await listenOnLoopback(server);
  world.url = url;
  world.apiUrl = `${url}/api/v3`;
  const tokens = new Map<User, string>();
  const people = createPeople(world, api);
  const repositories = createRepositories({ world, hooks, people, root: repositoriesDir });

  return {
    url,
    apiUrl: world.apiUrl,
    requests,
    as: people,
    user(login) {
      const user = userNamed(world, login);
      const personal = { user, installation: null, repositories: null, permissions: null };
      const token = tokens.get(user) ?? giveToken(world, personal).value;
      tokens.set(user, token);
      return { ...user, token };
    },
    organization: (login) => userNamed(world, login, "Organization"),
    repository: repositories.create,
    app: (asked = {}) => localApp(makeApp(world, asked)),
    apps: () => world.apps.filter(({ hook }) => hook !== null).map(localApp),
    install(app, account, names) {
      const known = world.apps.find((each) => each.id === app.id);
      if (known === undefined) throw new Error(`no App ${app.slug}`);
      const owner = userNamed(world, account);
      const installation = addInstallation(world, {
        app: known,
        account: owner,
        repositories:
          names === undefined ? null : new Set(names.map((name) => named(world, owner, name))),
        createdAt: stamp(world),
      });
      emitInstallation(world, hooks, installation, "created");
      return {
        id: installation.id,
        uninstall: () => uninstall(world, hooks, installation),
        suspend: () => suspend(world, hooks, installation, true),
        unsuspend: () => suspend(world, hooks, installation, false),
        add: (name) => choose(world, hooks, installation, { add: named(world, owner, name) }),
        remove: (name) => choose(world, hooks, installation, { remove: named(world, owner, name) }),
      };
    },
    fault: (asked) => faults.add(asked),
    leaveRequests: (remaining) => limits.leave(remaining),
    advance(ms) {
      world.aheadMs += ms;
    },
    revokeTokens() {
      for (const [value, { installation }] of world.tokens) {
        if (installation !== null) world.tokens.delete(value);
      }
    },
    settled: async () => await hooks.settled(),
    takeInvalid: () => validator.take(),
    async [Symbol.asyncDispose]() {
      await close();
      await hooks.close();
      await git.close();
      await Promise.all(world.repositories.map(async ({ idle }) => await idle));
      await root[Symbol.asyncDispose]();
      const invalid = validator.take();
      if (invalid.length > 0) {
        throw new Error(`GitHub would not understand:\n${invalid.slice(0, 20).join("\n")}`);
      }
    },
  };
}

/** What the hub's App asks for, unless the test wants something else. */
const HUB_PERMISSIONS: Permissions = {
  metadata: "read",
  contents: "write",
  issues: "write",
  pull_requests: "write",
  checks: "write",
  statuses: "read",
  actions: "read",
};
const HUB_EVENTS = [
  "issues",
  "issue_comment",
  "pull_request",
  "pull_request_review",
  "label",
  "repository",
  "pull_request_review_comment",
  "check_suite",
  "check_run",
  "status",
  "workflow_run",
  "push",
];

function makeApp(world: World, asked: NewApp): App {
  return addApp(world, {
    slug: asked.slug ?? "claude-hub",
    owner: asked.owner ?? "octo",
    permissions: asked.permissions ?? HUB_PERMISSIONS,
    events: asked.events ?? HUB_EVENTS,
    hookUrl: asked.hookUrl,
    hookSecret: asked.hookSecret,
  });
}

function localApp(app: App): LocalApp {
  const { id, slug, clientId, clientSecret, privateKey, hook, bot } = app;
  if (hook === null) throw new Error(`${slug} has no hook`);
  return { id, slug, clientId, clientSecret, privateKey, hook, bot, webhookSecret: hook.secret };
}

function named(world: World, owner: User, name: string) {
  const repository = findRepository(world, owner.login, name.split("/").at(-1) ?? "");
  if (repository === undefined) throw new Error(`${owner.login} has no ${name}`);
  return repository;
}
