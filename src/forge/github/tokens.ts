import type { App } from "octokit";
import { z } from "zod";
import type { Repository } from "../../core/repository.ts";
import type { Secret } from "../../core/secret.ts";
import { asForgeError } from "./errors.ts";

/** Whom GitHub takes the hub for. */
export type Identity = { appId: number; privateKey: Secret } | { token: Secret };

export type Permissions = Record<string, "read" | "write">;

/** Tokens for one repository each. */
export interface Tokens {
  /** @param anew Not one that was made before. */
  get(repository: Repository, permissions: Permissions, anew: boolean): Promise<string>;
  /** What GitHub counts requests by. */
  countedBy(repository: Repository): Promise<string>;
}

/** A token with less than this left is not begun with. */
const RENEW_MS = 600_000;
const REMEMBERED = 5_000;
const Token = z.object({ token: z.string(), expiresAt: z.string() });
const Installation = z.object({ id: z.int() });

/** A person's: the same everywhere, with whatever rights it has. */
export function personalToken(token: Secret): Tokens {
  return {
    get: () => Promise.resolve(token.reveal()),
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

  return {
    async get(repository, permissions, anew) {
      const installationId = await installationOf(repository);
      const repositoryNames = [repository.split("/")[1] ?? ""];
      const asked = { type: "installation", installationId, repositoryNames, permissions };
      const ask = async (refresh: boolean) => {
        try {
          return Token.parse(await app.octokit.auth({ ...asked, refresh }));
        } catch (error) {
          // It may have been installed anew since.
          installations.delete(repository);
          throw error instanceof z.ZodError ? error : asForgeError(error);
        }
      };
      const found = await ask(anew);
      const isOld = Date.parse(found.expiresAt) - Date.now() < RENEW_MS;
      return (isOld && !anew ? await ask(true) : found).token;
    },
    countedBy: async (repository) => `installation ${await installationOf(repository)}`,
  };
}
