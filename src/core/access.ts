import { z } from "zod";
import { HubError } from "./errors.ts";
import type { Id } from "./id.ts";
import type { Repository } from "./repository.ts";

/** What a token is good for. Each scope includes those before it. */
export const SCOPES = ["read", "write", "admin"] as const;
export const Scope = z.enum(SCOPES);
export type Scope = z.infer<typeof Scope>;

/** Who asks, as far as it decides what is done for them. */
export interface Access {
  /** Null: the hub's own secret. */
  tokenId: Id | null;
  scopes: readonly Scope[];
  /** Null: all. */
  repositories: readonly Repository[] | null;
  /** The one orchestration whose sessions it is for; null: all. */
  orchestrationId: Id | null;
}

/** Of the hub's own secret. */
export const WHOLE_ACCESS: Access = {
  tokenId: null,
  scopes: ["admin"],
  repositories: null,
  orchestrationId: null,
};

export function hasScope({ scopes }: Access, scope: Scope): boolean {
  return scopes.some((one) => SCOPES.indexOf(one) >= SCOPES.indexOf(scope));
}

/** Throws `forbidden` without the scope. */
export function demandScope(access: Access, scope: Scope): void {
  if (hasScope(access, scope)) return;
  throw new HubError("forbidden", `The token has not the scope ${scope}`);
}

export function isWhole({ repositories, orchestrationId }: Access): boolean {
  return repositories === null && orchestrationId === null;
}

export function allowsRepository({ repositories }: Access, repository: string): boolean {
  return repositories === null || repositories.includes(repository);
}

/** Whether something of that repository and orchestration is there for who asks. */
export function sees(
  access: Access,
  { repository, orchestrationId }: { repository: string; orchestrationId: Id | null },
): boolean {
  if (!allowsRepository(access, repository)) return false;
  return access.orchestrationId === null || access.orchestrationId === orchestrationId;
}
