import { z } from "zod";
import { GitHubError, found, notFound } from "../errors.ts";
import { canSee, giveToken } from "../identity.ts";
import { accountBody, appBody, installationBody, tokenBody } from "../present/people.ts";
import { repositoryBody } from "../present/repository.ts";
import {
  appFor,
  counted,
  created,
  nothing,
  numberIn,
  ok,
  page,
  read,
  repositoryOf,
  routesFor,
  tokenFor,
} from "../router.ts";
import type { Call, Route } from "../router.ts";
import type { App, Installation, Level, Permissions, Repository, User } from "../state.ts";
import { now, reaches } from "../world.ts";
import { uninstall } from "../installations.ts";

const LEVELS: readonly Level[] = ["read", "write", "admin"];

const tokenRequest = z.object({
  repositories: z.array(z.string()).max(500).optional(),
  repository_ids: z.array(z.number()).max(500).optional(),
  permissions: z.record(z.string(), z.enum(["read", "write", "admin"])).optional(),
});

export const appRoutes: Route[] = [
  ...routesFor("app", {
    "GET /app": (call) => ok(appBody(call.world, appFor(call))),
    "GET /app/installations": (call) => {
      const own = call.world.installations.filter((each) => each.app === appFor(call));
      const bodies = own.map((each) => installationBody(call.world, each));
      return page(call, bodies);
    },
    "GET /app/installations/{installation_id}": (call) =>
      ok(installationBody(call.world, ownInstallation(call))),
    "DELETE /app/installations/{installation_id}": (call) => {
      uninstall(call.world, call.hooks, ownInstallation(call));
      return nothing;
    },
    "POST /app/installations/{installation_id}/access_tokens": giveInstallationToken,
    "GET /repos/{owner}/{repo}/installation": (call) => {
      const repository = repositoryOf(call);
      return installationWhere(call, (each) => reaches(each, repository));
    },
    "GET /orgs/{org}/installation": (call) => installationOf(call, call.params["org"]),
    "GET /users/{username}/installation": (call) => installationOf(call, call.params["username"]),
  }),
  ...routesFor("installation", {
    "GET /installation/repositories": (call) => {
      const { installation, repositories } = tokenFor(call);
      const reached = call.world.repositories.filter(
        (each) =>
          installation !== null &&
          reaches(installation, each) &&
          (repositories === null || repositories.has(each)),
      );
      const bodies = reached.map((each) => repositoryBody(call.world, each));
      return page(call, bodies, counted("repositories", bodies.length));
    },
    "DELETE /installation/token": (call) => {
      call.world.tokens.delete(tokenFor(call).value);
      return nothing;
    },
  }),
  ...routesFor("token", {
    "GET /user": (call) => {
      const { user, installation } = tokenFor(call);
      if (installation !== null) {
        throw new GitHubError(403, "Resource not accessible by integration");
      }
      return ok(accountBody(call.world, user));
    },
    "GET /user/repos": (call) => {
      const seen = call.world.repositories.filter((each) => canSee(call.identity, each));
      return page(
        call,
        seen.map((each) => repositoryBody(call.world, each)),
      );
    },
  }),
  ...routesFor("nothing", {
    "GET /apps/{app_slug}": (call) => {
      const { world, params } = call;
      return ok(appBody(world, found(world.apps.find((each) => each.slug === params["app_slug"]))));
    },
    "GET /users/{username}": ({ world, params }) => {
      const login = params["username"]?.toLowerCase();
      const user = world.users.find((each) => each.login.toLowerCase() === login);
      return ok(accountBody(world, found(user)));
    },
    "GET /rate_limit": ({ rate }) => {
      const body = rate();
      return ok({ resources: { core: body, search: body }, rate: body });
    },
    "GET /meta": () =>
      ok({ verifiable_password_authentication: false, hooks: ["127.0.0.0/8"], git: [], api: [] }),
    "POST /app-manifests/{code}/conversions": ({ world, params }) => {
      const code = params["code"] ?? "";
      const { app, expiresAt } = found(world.manifests.get(code));
      if (expiresAt <= now(world)) throw notFound();
      // A code is good once.
      world.manifests.delete(code);
      return created({
        ...appBody(world, app),
        client_secret: app.clientSecret,
        webhook_secret: app.hook?.secret ?? null,
        pem: app.privateKey,
      });
    },
  }),
];

function ownInstallation(call: Call): Installation {
  const id = numberIn(call, "installation_id");
  const installation = call.world.installations.find((each) => each.id === id);
  return ofApp(found(installation), appFor(call));
}

function ofApp(installation: Installation, app: App): Installation {
  if (installation.app !== app) throw notFound();
  return installation;
}

function installationOf(call: Call, login: string | undefined) {
  const named = ({ account }: { account: User }) =>
    account.login.toLowerCase() === login?.toLowerCase();
  return installationWhere(call, named);
}

function installationWhere(call: Call, wanted: (installation: Installation) => boolean) {
  const app = appFor(call);
  const own = call.world.installations.filter((each) => each.app === app);
  return ok(installationBody(call.world, found(own.find(wanted))));
}

function giveInstallationToken(call: Call) {
  const { world } = call;
  const installation = ownInstallation(call);
  if (installation.suspendedAt !== null) {
    throw new GitHubError(403, "This installation has been suspended");
  }
  const asked = read(tokenRequest, call);
  const { app } = installation;
  for (const [name, level] of Object.entries(asked.permissions ?? {})) {
    const had = app.permissions[name];
    if (had === undefined || LEVELS.indexOf(level) > LEVELS.indexOf(had)) {
      const why = "The permissions requested are not granted to this installation.";
      throw new GitHubError(422, why);
    }
  }
  const repositories = chosen(call, installation, asked);
  // Every token may read what everybody sees of a repository.
  const permissions: Permissions | null =
    asked.permissions === undefined ? null : { metadata: "read", ...asked.permissions };
  const token = giveToken(world, { user: app.bot, installation, repositories, permissions });
  const listed = [...(repositories ?? [])].map((each) => repositoryBody(world, each));
  return created(tokenBody(token, repositories === null ? null : listed));
}

function chosen(
  { world }: Call,
  installation: Installation,
  asked: z.infer<typeof tokenRequest>,
): Set<Repository> | null {
  const { repositories: names, repository_ids: ids } = asked;
  if (names === undefined && ids === undefined) return null;
  const reached = world.repositories.filter((each) => reaches(installation, each));
  const named = (names ?? []).map((name) => reached.find((each) => each.name === name));
  const numbered = (ids ?? []).map((id) => reached.find((each) => each.id === id));
  const all = [...named, ...numbered];
  if (all.includes(undefined)) {
    throw new GitHubError(
      422,
      "There is at least one repository that does not exist or is not accessible to the parent installation.",
    );
  }
  return new Set(all.filter((each) => each !== undefined));
}
