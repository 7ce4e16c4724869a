import { App, Octokit } from "octokit";
import type { LocalApp, LocalGitHub } from "./github.ts";

/** Octokit without the plugins that space requests by seconds, for tests of the other side. */
export const Client = Octokit.defaults({
  throttle: { enabled: false },
  retry: { enabled: false },
});

export function clientOf(github: LocalGitHub, app: LocalApp) {
  const Local = Client.defaults({ baseUrl: github.apiUrl });
  return new App({ appId: app.id, privateKey: app.privateKey, Octokit: Local });
}
