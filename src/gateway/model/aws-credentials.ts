import type { ModelAccess } from "../../config/model-access.ts";
import { forbidden } from "../../core/errors.ts";

interface Identity {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
  expiration?: Date;
}

/** The hub's identity on AWS. */
export interface AwsCredentials {
  /** Throws `forbidden` when there are none to be had. */
  get(): Promise<Identity>;
  /** Has them looked for anew at the next call, although they look good; false where there is nothing to look for. */
  renew(): boolean;
}

/** New ones are fetched so long before the old ones end. */
const EARLY_MS = 300_000;
/** Roles that are revoked, and files that are changed, are noticed at last after so long. */
const KEPT_MS = 900_000;

/** Keys of the configuration, else AWS's standard chain; a profile that is named goes before keys, as everywhere on AWS. */
export async function createAwsCredentials(
  access: Pick<Extract<ModelAccess, { form: "bedrock" }>, "region" | "profile" | "keys">,
): Promise<AwsCredentials> {
  const { keys, profile, region } = access;
  if (keys !== null && profile === null) {
    const identity = {
      accessKeyId: keys.accessKeyId.reveal(),
      secretAccessKey: keys.secretAccessKey.reveal(),
      ...(keys.sessionToken === null ? {} : { sessionToken: keys.sessionToken.reveal() }),
    };
    return { get: () => Promise.resolve(identity), renew: () => false };
  }
  const { fromNodeProviderChain } = await import("@aws-sdk/credential-providers");
  // A chain keeps what it found; a fresh one looks again.
  return createKeptCredentials(() =>
    fromNodeProviderChain({ clientConfig: { region }, ...(profile === null ? {} : { profile }) })(),
  );
}

interface Kept {
  found: Promise<Identity>;
  until: number;
}

/** Keeps what `find` found for a while. Calls that come together wait for one search. */
export function createKeptCredentials(
  find: () => Promise<Identity>,
  now: () => number = Date.now,
): AwsCredentials {
  let kept: Kept | undefined;

  function search(): Promise<Identity> {
    const entry = { found: find(), until: now() + KEPT_MS };
    kept = entry;
    void watch(entry);
    return entry.found;
  }

  async function watch(entry: Kept): Promise<void> {
    try {
      const { expiration } = await entry.found;
      if (expiration !== undefined)
        entry.until = Math.min(entry.until, expiration.getTime() - EARLY_MS);
    } catch {
      // Told to whoever asked. What is mended meanwhile shall be found.
      if (kept === entry) kept = undefined;
    }
  }

  return {
    async get() {
      try {
        return await (kept !== undefined && now() < kept.until ? kept.found : search());
      } catch (error) {
        throw forbidden(
          "The hub has no usable credentials for Amazon Bedrock; its log says why",
          error,
        );
      }
    },
    renew() {
      kept = undefined;
      return true;
    },
  };
}
