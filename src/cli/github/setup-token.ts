import { randomBytes } from "node:crypto";
import pino from "pino";
import { loadConfig } from "../../config/config.ts";
import type { Config } from "../../config/config.ts";
import { environment } from "../../config/environment.ts";
import { keepToken, readKeptApp, readKeptToken } from "../../config/kept-app.ts";
import { Repository } from "../../core/repository.ts";
import type { Secret } from "../../core/secret.ts";
import { createClient } from "../../forge/github/client.ts";
import { standingOf } from "../../forge/github/standing.ts";
import { putWebhook, WEBHOOK_EVENTS } from "../../forge/github/webhook.ts";
import { reporting, serversOf, webAddress } from "./common.ts";
import { createPrompt } from "../prompt.ts";

type Flags = Record<string, string | undefined>;

interface TokenOptions {
  hubUrl: string;
  server?: string;
  /** Where webhooks are wanted. */
  repository?: string[];
  again: boolean;
}

/**
 * Makes the hub a person on GitHub, whose token it is given: for those who cannot make an App. The token comes from the
 * terminal or from standard input, never from the command line, which everybody on the machine can read.
 */
export async function setUpToken(flags: Flags, options: TokenOptions): Promise<void> {
  await reporting(async () => {
    const config = loadConfig({ flags });
    refuseApp(config, options.again);
    const url = `${webAddress("--hub-url", options.hubUrl)}/api/webhooks/github`;
    const repositories = (options.repository ?? []).map(repositoryNamed);
    const servers = serversOf(config, options.server);
    const token = await askForToken(servers.serverUrl);
    const log = pino({ enabled: false });
    const { timeoutMs } = config.github;
    const access = { apiUrl: servers.apiUrl, identity: { token }, timeoutMs, log };
    const standing = await standingOf({ ...access, workflows: false });
    if (standing.kind !== "user") throw new Error("GitHub takes this token for an App's");
    const { login } = standing;
    const secret = secretOf(config);
    const kept = { token: token.reveal(), login, webhookSecret: secret, hookUrl: url };
    const path = await keepToken(config.dir, config.secrets.key, {
      ...kept,
      repositories: [...new Set([...knownRepositories(config, login), ...repositories])],
      ...servers,
    });
    process.stdout.write(`The hub is ${login} at ${servers.serverUrl}; the token is in ${path}.\n`);
    const client = await createClient({ ...access, throttle: false });
    const byHand: Repository[] = [];
    for (const repository of repositories)
      if (await putWebhook(client, repository, { url, secret }))
        process.stdout.write(`${repository} tells the hub at ${url}.\n`);
      else byHand.push(repository);
    if (byHand.length > 0 || repositories.length === 0)
      process.stdout.write(byHandText(servers.serverUrl, byHand, { url, secret: shown(secret) }));
    warnOfStronger(flags);
    process.stdout.write("A running hub takes it up when it is restarted.\n");
  });
}

const MAX_REPOSITORIES = 100;

function refuseApp({ github, secrets, dir }: Config, again: boolean): void {
  if (again || (github.appId === null && readKeptApp(dir, secrets.key) === null)) return;
  throw new Error(
    `the hub is the App ${github.appId ?? ""}, which can do more; --again puts a token in its place`,
  );
}

async function askForToken(serverUrl: string): Promise<Secret> {
  using prompt = createPrompt(process.stdin, process.stdout);
  const token = await prompt.secret(`Token of the bot's user at ${serverUrl}`);
  // A space or a control character in a header is an error that would quote it.
  if (/^[\w.-]{1,500}$/.test(token.reveal())) return token;
  throw new Error("that is no token: letters, digits and underscores are expected");
}

function repositoryNamed(name: string): Repository {
  const repository = Repository.safeParse(name);
  if (repository.success) return repository.data;
  throw new Error(`--repository must be owner/name, and not ${JSON.stringify(name.slice(0, 100))}`);
}

/** The one that deliveries are checked against, wherever that was set; else a new one. */
function secretOf({ secrets }: Config): string {
  return secrets.githubWebhook?.reveal() ?? randomBytes(32).toString("hex");
}

/** Another user's webhooks are not this one's to look after. */
function knownRepositories({ secrets, dir }: Config, login: string): string[] {
  const kept = readKeptToken(dir, secrets.key);
  return kept?.login === login ? kept.repositories.slice(-MAX_REPOSITORIES) : [];
}

/** Only what the hub has made is said; people know where their own is. */
function shown(secret: string): string {
  const set = environment["GITHUB_WEBHOOK_SECRET"] ?? environment["GITHUB_WEBHOOK_SECRET_FILE"];
  return set === undefined ? secret : "the value of GITHUB_WEBHOOK_SECRET";
}

function byHandText(
  serverUrl: string,
  repositories: readonly Repository[],
  { url, secret }: { url: string; secret: string },
): string {
  const at = repositories.map((name) => `  ${serverUrl}/${name}/settings/hooks/new`);
  return [
    repositories.length === 0
      ? "Each repository needs a webhook; --repository owner/name makes one, where the token may. By hand:"
      : "The token may not make webhooks here (or does not see the repository); an owner enters:",
    ...at,
    `  Payload URL   ${url}`,
    "  Content type  application/json",
    `  Secret        ${secret}`,
    `  Events        ${WEBHOOK_EVENTS.join(", ")}`,
    "",
  ].join("\n");
}

/** What was set by hand before goes before what is kept now. */
function warnOfStronger(flags: Flags): void {
  const { secrets, dir } = loadConfig({ flags });
  const kept = readKeptToken(dir, secrets.key);
  if (kept === null || secrets.githubToken?.reveal() === kept.token) return;
  process.stdout.write(
    "GITHUB_TOKEN or GITHUB_APP_ID is set in the environment or in hub.env as well, which goes before: take it out.\n",
  );
}
