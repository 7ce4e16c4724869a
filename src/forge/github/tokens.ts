import type { App } from "octokit";
import { z } from "zod";
import { HubError } from "../../core/errors.ts";
import type { Repository } from "../../core/repository.ts";
import { Secret } from "../../core/secret.ts";
import { asForgeError } from "./errors.ts";

/** Whom GitHub takes the hub for. */
export type Identity = { appId: number; privateKey: Secret } | { token: Secret };

export type Permissions = Record<string, "read" | "write">;

export interface IssuedToken {
  token: Secret;
  /** Null: it is a person's own, which is never taken back. */
  expiresAt: Date | null;
}

/** Tokens for one repository each. */
export interface Tokens {
  /** @param anew Not one that was made before. */
  get(repository: Repository, permissions: Permissions, anew: boolean): Promise<string>;
  /** One that nobody else is given. */
  issue(repository: Repository, permissions: Permissions): Promise<IssuedToken>;
  /** What GitHub counts requests by. */
  countedBy(repository: Repository): Promise<string>;
  /** Asks anew where it is installed. */
  forget(repository: Repository): void;
}

/** A token with less than this left is not begun with. */
const RENEW_MS = 600_000;
const REMEMBERED = 5_000;
const Token = z.object({ token: z.string(), expiresAt: z.string() });
const Issued = z.object({ token: z.string().min(1), expires_at: z.iso.datetime() });
const Installation = z.object({ id: z.int() });

/** A person's: the same everywhere, with whatever rights it has. */
export function personalToken(token: Secret): Tokens {
  return {
    get: () => Promise.resolve(token.reveal()),
    issue: () => Promise.resolve({ token, expiresAt: null }),
    countedBy: () => Promise.resolve("token"),
    forget: () => undefined,
  };
}

/**
 * Of an App, made for no more than the repository and the permissions that are named.
 *
 * @param asApp Asks as the App itself.
 */
export function installationTokens(
  app: App,
  asApp: (route: string, parameters: Record<string, unknown>) => Promise<unknown>,
): Tokens {
  const installations = new Map<Repository, number>();
  /** Names of repositories that are called otherwise by now. */
  const renamed = new Map<Repository, string>();

  async function installationOf(repository: Repository): Promise<number> {
    const known = installations.get(repository);
    if (known !== undefined) return known;
    const [owner, repo] = repository.split("/");
    const route = "GET /repos/{owner}/{repo}/installation";
    const { id } = Installation.parse(await asApp(route, { owner, repo }));
    if (installations.size >= REMEMBERED) installations.clear();
    installations.set(repository, id);
    return id;
  }

  /** Where the App was installed anew since, that is found out once. */
  async function installed<T>(repository: Repository, ask: (id: number) => Promise<T>): Promise<T> {
    const wasKnown = installations.has(repository);
    try {
      return await ask(await installationOf(repository));
    } catch (error) {
      installations.delete(repository);
      if (!wasKnown || !(error instanceof HubError) || error.code !== "not_found") throw error;
      return await ask(await installationOf(repository));
    }
  }

  /** GitHub leads from an old name to the new one everywhere but here. */
  async function named<T>(
    repository: Repository,
    id: number,
    ask: (name: string) => Promise<T>,
  ): Promise<T> {
    const [owner = "", repo = ""] = repository.split("/");
    try {
      return await ask(renamed.get(repository) ?? repo);
    } catch (error) {
      if (!(error instanceof HubError) || error.code !== "invalid_request") throw error;
      const name = await nameNow(app, id, { owner, repo });
      if (name === null || name === (renamed.get(repository) ?? repo)) throw error;
      if (renamed.size >= REMEMBERED) renamed.clear();
      renamed.set(repository, name);
      return await ask(name);
    }
  }

  return {
    get: (repository, permissions, anew) =>
      installed(repository, async (installationId) => {
        const ofName = async (name: string) => {
          const repositoryNames = [name];
          const asked = { type: "installation", installationId, repositoryNames, permissions };
          const ask = async (refresh: boolean) => {
            try {
              return Token.parse(await app.octokit.auth({ ...asked, refresh }));
            } catch (error) {
              throw error instanceof z.ZodError ? error : asForgeError(error);
            }
          };
          const found = await ask(anew);
          const isOld = Date.parse(found.expiresAt) - Date.now() < RENEW_MS;
          return (isOld && !anew ? await ask(true) : found).token;
        };
        try {
          return await named(repository, installationId, ofName);
        } catch (error) {
          throw error instanceof z.ZodError ? error : lackOrFailure(error);
        }
      }),
    issue: (repository, permissions) =>
      installed(repository, async (id) => {
        const route = "POST /app/installations/{installation_id}/access_tokens";
        const answer = await named(repository, id, (name) =>
          asApp(route, { installation_id: id, repositories: [name], permissions }),
        );
        const { token, expires_at: end } = Issued.parse(answer);
        return { token: new Secret(token), expiresAt: new Date(end) };
      }),
    countedBy: async (repository) => `installation ${await installationOf(repository)}`,
    forget(repository) {
      installations.delete(repository);
      renamed.delete(repository);
    },
  };
}

/** What cannot be asked for is what the App does not have. */
function lackOrFailure(error: unknown): unknown {
  const failure = asForgeError(error);
  if (!(failure instanceof HubError) || failure.code !== "invalid_request") return failure;
  return new HubError("forbidden", "The GitHub App lacks permissions that the hub needs", {
    hint: "claude-hub github status says which",
    cause: error,
  });
}

/** What a repository is called now; null: it is not there. */
async function nameNow(
  app: App,
  installationId: number,
  repository: { owner: string; repo: string },
): Promise<string | null> {
  try {
    const octokit = await app.getInstallationOctokit(installationId);
    const { data } = await octokit.request("GET /repos/{owner}/{repo}", repository);
    return data.name;
  } catch (error) {
    const known = asForgeError(error);
    if (known instanceof HubError && !known.retryable) return null;
    throw known;
  }
}
