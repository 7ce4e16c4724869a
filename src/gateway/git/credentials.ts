import type { Repository } from "../../core/repository.ts";
import type { Secret } from "../../core/secret.ts";
import type { GatewaySession } from "../session.ts";
import { isCredentialRefused } from "./remote.ts";

/**
 * What the hub shows to the forge when it reads; null: nothing is needed, or there is nothing.
 *
 * @param refused What the forge has just refused: another one is wanted, if there is one.
 */
export type ReadCredential = (
  repository: Repository,
  refused: Secret | null,
) => Promise<Secret | null>;

/** A credential for a push, not taken back until it is disposed of. */
export interface PushLease extends Disposable {
  credential: Secret | null;
}

export type Pusher = Pick<GatewaySession, "sessionId" | "repository" | "policy">;

/** What the hub shows to the forge when it pushes for a session. */
export type LeasePush = (session: Pusher, refused: Secret | null) => Promise<PushLease>;

/** Reads, and reads once more with another credential when the forge does not take the first one (any more). */
export async function readingWith<T>(
  credential: (refused: Secret | null) => Promise<Secret | null>,
  read: (credential: Secret | null) => Promise<T>,
): Promise<T> {
  const first = await credential(null);
  try {
    return await read(first);
  } catch (error) {
    if (first === null || !isCredentialRefused(error)) throw error;
    const second = await credential(first);
    if (second?.reveal() === first.reveal()) throw error;
    return await read(second);
  }
}
