import pino from "pino";
import type { Config } from "../../config/config.ts";
import { readKeptToken } from "../../config/kept-app.ts";
import { HubError } from "../../core/errors.ts";
import { Repository } from "../../core/repository.ts";
import { failure, fine, warning } from "../../doctor/finding.ts";
import type { Finding } from "../../doctor/finding.ts";
import { createClient } from "../../forge/github/client.ts";
import { identityOf } from "../../forge/github/identity.ts";
import { standingOf } from "../../forge/github/standing.ts";
import type { AppStanding } from "../../forge/github/standing.ts";
import { webhookState } from "../../forge/github/webhook.ts";
import type { WebhookState } from "../../forge/github/webhook.ts";

const CHECK = "forge";

/** Asks the forge who the hub is there, and says what is missing. */
export async function forgeFindings(config: Config): Promise<Finding[]> {
  const { github, secrets, policy } = config;
  const { githubAppKey: appKey, githubToken: token } = secrets;
  const identity = identityOf({ appId: github.appId, appKey, token });
  if (identity === null) {
    const what = "the hub is nobody on GitHub: it reads what is public, and pushes nothing";
    return [failure(CHECK, what, "claude-hub github setup")];
  }
  const { apiUrl, timeoutMs } = github;
  const log = pino({ enabled: false });
  const { pushWorkflows: workflows } = policy;
  try {
    const standing = await standingOf({ apiUrl, identity, timeoutMs, workflows, log });
    const secret = webhookFindings(config);
    if (standing.kind === "app") return [...appFindings(standing, config), ...secret];
    const found = `a token of ${standing.login} at ${github.serverUrl}; checks cannot be written`;
    return [fine(CHECK, found), ...secret, ...(await hookFindings(config))];
  } catch (error) {
    if (!(error instanceof HubError)) throw error;
    const mend = error.hint ?? `look whether ${apiUrl} can be reached from here`;
    return [failure(CHECK, `${error.message} (${apiUrl})`, mend)];
  }
}

function webhookFindings({ secrets }: Config): Finding[] {
  if (secrets.githubWebhook !== null) return [];
  return [
    failure(
      CHECK,
      "GITHUB_WEBHOOK_SECRET is not set: deliveries are refused",
      "set it as the App has it",
    ),
  ];
}

/** Of the repositories that the kept token was set up for. */
async function hookFindings({ dir, github, secrets }: Config): Promise<Finding[]> {
  const kept = readKeptToken(dir, secrets.key);
  const { githubToken: token } = secrets;
  if (kept === null || token === null || token.reveal() !== kept.token) return [];
  const { apiUrl, timeoutMs } = github;
  const log = pino({ enabled: false });
  const client = await createClient({
    apiUrl,
    identity: { token },
    timeoutMs,
    throttle: false,
    log,
  });
  const findings: Finding[] = [];
  for (const name of kept.repositories) {
    const state = await webhookState(client, Repository.parse(name), kept.hookUrl);
    findings.push(hookFinding(name, kept.hookUrl, state));
  }
  return findings;
}

function hookFinding(name: string, url: string, state: WebhookState): Finding {
  const hub = url.replace(/\/api\/webhooks\/github$/, "");
  const mend = `claude-hub github setup --token --hub-url ${hub} --repository ${name}`;
  switch (state) {
    case "active":
      return fine(CHECK, `${name} tells the hub at ${url}`);
    case "inactive":
      return failure(CHECK, `${name} has a webhook to ${url}, but it is off`, mend);
    case "missing":
      return failure(CHECK, `${name} has no webhook to ${url}`, mend);
    case "hidden":
      return warning(
        CHECK,
        `${name} does not show its webhooks to this token`,
        "an owner looks whether there is one, under Settings, Webhooks",
      );
    default:
      return state satisfies never;
  }
}

function appFindings(app: AppStanding, { github }: Config): Finding[] {
  const settings = `change it in the settings of the App ${app.slug}, under Permissions & events`;
  const findings = [fine(CHECK, `the App ${app.slug} (${app.id}) at ${github.serverUrl}`)];
  if (app.missingPermissions.length > 0)
    findings.push(
      failure(CHECK, `the App lacks permissions: ${app.missingPermissions.join(", ")}`, settings),
    );
  if (app.missingEvents.length > 0)
    findings.push(
      failure(CHECK, `the App is not told of: ${app.missingEvents.join(", ")}`, settings),
    );
  findings.push(...installationFindings(app), deliveryFinding(app));
  return findings;
}

function installationFindings(app: AppStanding): Finding[] {
  if (app.installations.length === 0) {
    const mend = `install it: ${app.url}/installations/new`;
    return [failure(CHECK, "the App is installed nowhere", mend)];
  }
  return app.installations.map(({ account, isSuspended, missingPermissions }) => {
    const where = `installed at ${account}`;
    if (isSuspended) return warning(CHECK, `${where}, but suspended`, `${account} can lift that`);
    // What the App itself lacks has been said.
    const pending = missingPermissions.filter((one) => !app.missingPermissions.includes(one));
    if (pending.length === 0) return fine(CHECK, where);
    const found = `${where}, where nobody has allowed: ${pending.join(", ")}`;
    return warning(CHECK, found, `an owner of ${account} accepts the new permissions`);
  });
}

function deliveryFinding({ deliveries, hookUrl }: AppStanding): Finding {
  const { count, failed, lastFailure } = deliveries;
  const to = hookUrl === null || hookUrl === "" ? "nowhere" : hookUrl;
  if (failed === 0) return fine(CHECK, `deliveries go to ${to}; the last ${count} were taken`);
  const found = `deliveries go to ${to}; of the last ${count}, ${failed} were not taken (${lastFailure})`;
  return warning(
    CHECK,
    found,
    "look whether GitHub reaches the hub, and whether the secrets agree",
  );
}
