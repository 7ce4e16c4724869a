import type { Secret } from "../../core/secret.ts";
import type { Identity } from "./tokens.ts";

/** Whom the hub is configured to be at the forge; null: nobody. An App goes before a person's token. */
export function identityOf(settings: {
  appId: number | null;
  appKey: Secret | null;
  token: Secret | null;
}): Identity | null {
  const { appId, appKey, token } = settings;
  if (appId !== null && appKey !== null) return { appId, privateKey: appKey };
  return token === null ? null : { token };
}
