import type { LocalApp, LocalGitHub } from "../github/github.ts";

/** Settings of a hub that is this App, or this person, on a GitHub that runs beside it and needs no care. */
export function accountOn(
  github: LocalGitHub,
  app: LocalApp,
  person: { token: string } | null = null,
): Record<string, string> {
  return {
    GITHUB_SERVER_URL: github.url,
    GITHUB_API_URL: github.apiUrl,
    GITHUB_WEBHOOK_SECRET: app.webhookSecret,
    CLAUDE_HUB_FORGE_THROTTLE: "false",
    ...(person === null
      ? { GITHUB_APP_ID: String(app.id), GITHUB_APP_PRIVATE_KEY: app.privateKey }
      : { GITHUB_TOKEN: person.token }),
  };
}

/** Has deliveries go where the hub listens now. */
export function deliverTo(hook: { url: string; active: boolean }, hub: { url: string }): void {
  hook.url = `${hub.url}/api/webhooks/github`;
  hook.active = true;
}
