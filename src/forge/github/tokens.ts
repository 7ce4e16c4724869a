import { z } from "zod";
import { HubError, isNotFound } from "../../core/errors.ts";
import type { Repository } from "../../core/repository.ts";
import { Secret } from "../../core/secret.ts";
import { asForgeError } from "./errors.ts";
import type { ForgeTime } from "./forge-time.ts";

/** Whom GitHub takes the hub for. */
export type Identity = { appId: number; privateKey: Secret } | { token: Secret };

export type Permissions = Record<string, "read" | "write">;

export interface IssuedToken {
  token: Secret;
  /** On the hub's clock. Null: it is a person's own, which is never taken back. */
  expiresAt: Date | null;
}

/** Tokens for one repository each. */
export interface Tokens {
  /** @param anew Not one that was made before. */
  get(repository: Repository, permissions: Permissions, anew: boolean): Promise<string>;
  /** One that nobody else is given. */
  issue(repository: Repository, permissions: Permissions): Promise<IssuedToken>;
  /** Of any installation: for what everybody may read. */
  anybody(): Promise<string>;
  /** What GitHub counts requests by. */
  countedBy(repository: Repository): Promise<string>;
  /** Asks anew where it is installed. */
  forget(repository: Repository): void;
}

/** A token with less than this left is not begun with. */
const RENEW_MS = 600_000;
const REMEMBERED = 5_000;
const Issued = z.object({ token: z.string().min(1), expires_at: z.iso.datetime({ offset: true }) });
const Installation = z.object({ id: z.int() });
const Named = z.object({ name: z.string() });

interface Made {
  token: Secret;
  /** On GitHub's clock. */
  endsAt: Date;
}

/** A person's: the same everywhere, with whatever rights it has. */
export function personalToken(token: Secret): Tokens {
  return {
    get: () => Promise.resolve(token.reveal()),
    issue: () => Promise.resolve({ token, expiresAt: null }),
    anybody: () => Promise.resolve(token.reveal()),
    countedBy: () => Promise.resolve("token"),
    forget: () => undefined,
  };
}

/** As the App itself, or with the token of one of its installations. */
export interface AppAccess {
  asApp(route: string, parameters: Record<string, unknown>): Promise<unknown>;
  withToken(token: string, route: string, parameters: Record<string, unknown>): Promise<unknown>;
}

/** Of an App, made for no more than the repository and the permissions that are named. */
export function installationTokens({ asApp, withToken }: AppAccess, time: ForgeTime): Tokens {
  /** By what they are for. */
  const made = new Map<string, Made>();
  /** Those who ask at the same time share one. */
  const underWay = new Map<string, Promise<Made>>();
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

  async function make(id: number, more: Record<string, unknown>): Promise<Made> {
    const route = "POST /app/installations/{installation_id}/access_tokens";
    const answer = Issued.parse(await asApp(route, { installation_id: id, ...more }));
    return { token: new Secret(answer.token), endsAt: new Date(answer.expires_at) };
  }

  async function kept(id: number, more: Record<string, unknown>, anew: boolean): Promise<string> {
    const key = JSON.stringify([id, more]);
    const known = made.get(key);
    const isGood = known !== undefined && known.endsAt.getTime() - time.now() >= RENEW_MS;
    if (!anew && isGood) return known.token.reveal();
    const making = underWay.get(key) ?? make(id, more).finally(() => underWay.delete(key));
    underWay.set(key, making);
    const fresh = await making;
    if (made.size >= REMEMBERED) made.clear();
    made.set(key, fresh);
    return fresh.token.reveal();
  }

  /** What a repository is called now; null: it is not there. */
  async function nameNow(
    id: number,
    repository: { owner: string; repo: string },
  ): Promise<string | null> {
    try {
      const token = await kept(id, {}, false);
      return Named.parse(await withToken(token, "GET /repos/{owner}/{repo}", repository)).name;
    } catch (error) {
      const known = asForgeError(error);
      if (known instanceof HubError && !known.retryable) return null;
      throw known;
    }
  }

  /** Where the App was installed anew since, that is found out once. */
  async function installed<T>(repository: Repository, ask: (id: number) => Promise<T>): Promise<T> {
    const wasKnown = installations.has(repository);
    try {
      return await ask(await installationOf(repository));
    } catch (error) {
      installations.delete(repository);
      if (!wasKnown || !isNotFound(error)) throw error;
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
      const name = await nameNow(id, { owner, repo });
      if (name === null || name === (renamed.get(repository) ?? repo)) throw error;
      if (renamed.size >= REMEMBERED) renamed.clear();
      renamed.set(repository, name);
      return await ask(name);
    }
  }

  return {
    get: (repository, permissions, anew) =>
      installed(repository, async (installationId) => {
        const ofName = (name: string) =>
          kept(installationId, { repositories: [name], permissions }, anew);
        try {
          return await named(repository, installationId, ofName);
        } catch (error) {
          throw error instanceof z.ZodError ? error : lackOrFailure(error);
        }
      }),
    issue: (repository, permissions) =>
      installed(repository, async (id) => {
        const { token, endsAt } = await named(repository, id, (name) =>
          make(id, { repositories: [name], permissions }),
        );
        return { token, expiresAt: time.toOwn(endsAt) };
      }),
    anybody: async () => {
      const all = await asApp("GET /app/installations", { per_page: 1 });
      const [first] = z.array(Installation).parse(all);
      if (first !== undefined) return await kept(first.id, {}, false);
      throw new HubError("unavailable", "The GitHub App is not installed anywhere", {
        hint: "install it for the repositories that it shall work on",
      });
    },
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
