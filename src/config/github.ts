import { apiUrlOf } from "./forge-address.ts";
import { SETTINGS } from "./settings.ts";
import type { Source } from "./source.ts";

/** Where the forge is, who the hub is there, and whom it listens to. */
export function readGitHub(from: Source) {
  const serverUrl = from.required(SETTINGS.githubServerUrl);
  return {
    serverUrl,
    apiUrl: from.optional(SETTINGS.githubApiUrl) ?? apiUrlOf(serverUrl),
    /** Null: as the App is called, or `ClaudeBot`. */
    botUsername: from.optional(SETTINGS.botUsername),
    botEmail: from.required(SETTINGS.botEmail),
    authorizedUsers: from.required(SETTINGS.authorizedUsers),
    authorizedBots: from.required(SETTINGS.authorizedBots),
    appId: from.optional(SETTINGS.githubAppId),
    permission: from.required(SETTINGS.triggerPermission),
    label: from.optional(SETTINGS.triggerLabel),
    changesRequested: from.required(SETTINGS.triggerChangesRequested),
    throttle: from.required(SETTINGS.forgeThrottle),
    timeoutMs: from.required(SETTINGS.forgeTimeoutMs),
    catchUpMs: from.required(SETTINGS.catchUpMs),
  };
}
