import { loadConfig } from "../../config/config.ts";
import type { Config } from "../../config/config.ts";
import { environment } from "../../config/environment.ts";
import { keepApp, readKeptApp } from "../../config/kept-app.ts";
import { createRedaction } from "../../core/redaction.ts";
import { appManifest, convertManifest, registrationUrl } from "../../forge/github/manifest.ts";
import { lineOf } from "../finding-line.ts";
import { reporting, serversOf, webAddress } from "./common.ts";
import { openSetupPage } from "./setup-page.ts";
import { forgeFindings } from "./status.ts";

type Flags = Record<string, string | undefined>;

interface SetupOptions {
  hubUrl: string;
  server?: string;
  organization?: string;
  name?: string;
  port?: string;
  again: boolean;
}

const OPEN_MS = 600_000;
/** As long as the forge's code is good. */
const RETURN_MS = 3_600_000;

/** Makes the hub's App on GitHub, with one page that a person opens, and keeps what belongs to it. */
export async function setUpGitHub(flags: Flags, options: SetupOptions): Promise<void> {
  await reporting(async () => {
    const config = loadConfig({ flags });
    refuseSecond(config, options.again);
    const hubUrl = webAddress("--hub-url", options.hubUrl);
    const servers = serversOf(config, options.server);
    const { organization = null, name = null } = options;
    await using page = await openSetupPage({
      port: portOf(options.port),
      openMs: OPEN_MS,
      returnMs: RETURN_MS,
      form: (redirectUrl, state) => ({
        action: registrationUrl(servers.serverUrl, organization, state),
        manifest: JSON.stringify(
          appManifest({ name, hubUrl, redirectUrl, workflows: config.policy.pushWorkflows }),
        ),
      }),
      async take(code) {
        const app = await convertManifest(servers.apiUrl, code);
        const path = await keepApp(config.dir, config.secrets.key, {
          ...servers,
          appId: app.id,
          slug: app.slug,
          clientId: app.client_id,
          clientSecret: app.client_secret,
          privateKey: app.pem,
          webhookSecret: app.webhook_secret,
        });
        const install = `${app.html_url.replace(/\/+$/, "")}/installations/new`;
        process.stdout.write(`The App ${app.slug} (${app.id}) was made, and is kept in ${path}.\n`);
        process.stdout.write(`Install it for the repositories that it shall work on: ${install}\n`);
        return install;
      },
    });
    process.stdout.write(
      `Open this page in a browser; the address is good once:\n${page.address}\n`,
    );
    await page.finished;
    warnOfStronger(flags);
    process.stdout.write("A running hub takes it up when it is restarted.\n");
  });
}

/** Who the hub is at the forge. Exit code 1: something is missing; 2: it could not be looked at. */
export async function showGitHub(flags: Flags): Promise<void> {
  await reporting(async () => {
    const config = loadConfig({ flags });
    const redaction = createRedaction(
      Object.values(config.secrets).filter((secret) => secret !== null),
    );
    const findings = await forgeFindings(config);
    for (const finding of findings) process.stdout.write(redaction.text(lineOf(finding)));
    if (findings.some(({ state }) => state === "failed")) process.exitCode = 1;
  }, 2);
}

function refuseSecond({ github, secrets, dir }: Config, again: boolean): void {
  if (again || (github.appId === null && readKeptApp(dir, secrets.key) === null)) return;
  throw new Error(
    `the hub is the App ${github.appId ?? ""} already; --again makes another one in its place`,
  );
}

/** What was set by hand before goes before what was made now. */
function warnOfStronger(flags: Flags): void {
  const { github, secrets, dir } = loadConfig({ flags });
  const kept = readKeptApp(dir, secrets.key);
  if (kept === null || (github.appId === kept.appId && github.apiUrl === kept.apiUrl)) return;
  const set = environment["GITHUB_APP_ID"] === undefined ? "hub.env" : "the environment";
  process.stdout.write(
    `GITHUB_APP_ID or GITHUB_API_URL is set in ${set} as well, which goes before: take it out.\n`,
  );
}

function portOf(text = "0"): number {
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port <= 65_535) return port;
  throw new Error("--port must be a number from 0 to 65535");
}
