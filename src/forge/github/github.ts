import type { Logger } from "pino";
import { z } from "zod";
import { later } from "../../core/later.ts";
import type { Secret } from "../../core/secret.ts";
import type { Repository } from "../../core/repository.ts";
import type { Account, Forge, ForgeHook } from "../forge.ts";
import { createClient } from "./client.ts";
import type { Client } from "./client.ts";
import { appHook, repositoryHooks } from "./hooks.ts";
import { AccountAnswer } from "./mapping.ts";
import { createReads } from "./reads.ts";
import type { Identity, IssuedToken, Permissions } from "./tokens.ts";
import { createWrites } from "./writes.ts";
import type { Written } from "./writes.ts";

export interface GitHubForge extends Forge {
  /** For git, and for no more than one repository and what is named here. @param anew Not one that was made before. */
  token(repository: Repository, permissions: Permissions, anew: boolean): Promise<Secret>;
  /** The same, but given to nobody else, until it is revoked. */
  issue(repository: Repository, permissions: Permissions): Promise<IssuedToken>;
  revoke(token: Secret): Promise<void>;
  /** Drops what is remembered of a repository: it has another name, or the bot is not wanted there. */
  forget(repository: Repository): Promise<void>;
  /** What sends deliveries: the App's hook, or those of repositories. */
  hooks(repositories: readonly Repository[]): Promise<ForgeHook[]>;
}

/** GitHub, also an Enterprise Server, as an App or by a personal token. */
export function createGitHub(options: {
  apiUrl: string;
  identity: Identity;
  timeoutMs: number;
  throttle: boolean;
  written: Written;
  log: Logger;
}): GitHubForge {
  const { identity, written } = options;
  const client = later(() => createClient(options));
  const self = later(async () => await selfOf(await client(), identity));
  const lazily: Client = {
    forget: async (...call) => await (await client()).forget(...call),
    asSelf: async (...call) => await (await client()).asSelf(...call),
    asAnybody: async (...call) => await (await client()).asAnybody(...call),
    inRepository: async (...call) => await (await client()).inRepository(...call),
    list: async (...call) => await (await client()).list(...call),
    page: async (...call) => await (await client()).page(...call),
    textEnd: async (...call) => await (await client()).textEnd(...call),
    token: async (...call) => await (await client()).token(...call),
    issue: async (...call) => await (await client()).issue(...call),
    revoke: async (...call) => await (await client()).revoke(...call),
  };
  return {
    self,
    token: lazily.token,
    issue: lazily.issue,
    revoke: lazily.revoke,
    forget: lazily.forget,
    hooks: async (repositories) =>
      "token" in identity ? await repositoryHooks(lazily, repositories) : [appHook(lazily)],
    repository(repository) {
      const reads = createReads(lazily, repository);
      return {
        ...reads,
        ...createWrites({ client: lazily, repository, reads, written, self }),
      };
    },
  };
}

async function selfOf(
  client: Client,
  identity: Identity,
): Promise<{ account: Account; appId: number | null }> {
  if ("token" in identity)
    return { account: AccountAnswer.parse(await client.asSelf("GET /user")), appId: null };
  const { id, slug } = z
    .object({ id: z.int(), slug: z.string() })
    .parse(await client.asSelf("GET /app"));
  const account = await client.asAnybody("GET /users/{username}", { username: `${slug}[bot]` });
  return { account: AccountAnswer.parse(account), appId: id };
}
