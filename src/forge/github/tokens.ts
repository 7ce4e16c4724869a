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

  return {
    get: (repository, permissions, anew) =>
      installed(repository, async (installationId) => {
        const repositoryNames = [repository.split("/")[1] ?? ""];
        const asked = { type: "installation", installationId, repositoryNames, permissions };
        const ask = async (refresh: boolean) => {
          try {
            return Token.parse(await app.octokit.auth({ ...asked, refresh }));
          } catch (error) {
            throw error instanceof z.ZodError ? error : lackOrFailure(error);
          }
        };
        const found = await ask(anew);
        const isOld = Date.parse(found.expiresAt) - Date.now() < RENEW_MS;
        return (isOld && !anew ? await ask(true) : found).token;
      }),
    issue: (repository, permissions) =>
      installed(repository, async (id) => {
        const route = "POST /app/installations/{installation_id}/access_tokens";
        const repositories = [repository.split("/")[1] ?? ""];
        const asked = { installation_id: id, repositories, permissions };
        const { token, expires_at: end } = Issued.parse(await asApp(route, asked));
        return { token: new Secret(token), expiresAt: new Date(end) };
      }),
    countedBy: async (repository) => `installation ${await installationOf(repository)}`,
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
