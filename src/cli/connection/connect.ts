import { isTaken } from "../../store/data-dir/lock.ts";
import { createHub } from "../../client/hub.ts";
import type { Hub } from "../../client/hub.ts";
import { clientEnvironment } from "../../config/client-environment.ts";
import type { ClientEnvironment } from "../../config/client-environment.ts";
import { readLocalHub } from "../../config/local-hub.ts";
import { readProfiles, USUAL_PROFILE } from "../../config/profiles.ts";
import { CommandError } from "../exit.ts";
import type { ConnectionOptions } from "../commands/options.ts";

interface Access {
  url: string;
  token: string;
}

/**
 * The hub that is meant: by option, by environment, by the usual login, and else the one of the data directory on this
 * machine. A token only ever goes to the address that it was given for.
 */
export async function connect(options: ConnectionOptions): Promise<Hub> {
  return createHub(await access(options));
}

/** Its address, and the token for it. */
export async function access(options: ConnectionOptions): Promise<Access> {
  return await accessFor(options, clientEnvironment());
}

async function accessFor(options: ConnectionOptions, env: ClientEnvironment): Promise<Access> {
  if (options.url !== undefined) return await byAddress(hubAddress(options.url), env);
  if (options.profile !== undefined) return await byProfile(options.profile, env);
  if (options.dir !== undefined) return await byDirectory(options.dir);
  if (env.url !== null) return await byAddress(hubAddress(env.url), env);
  if (env.profile !== null) return await byProfile(env.profile, env);
  const usual = (await readProfiles(env.configDir))[USUAL_PROFILE];
  return usual ?? (await byDirectory(undefined));
}

async function byAddress(url: string, env: ClientEnvironment): Promise<Access> {
  // One that was set for another address says nothing about this one.
  const isMeant = env.url === null || hubAddress(env.url) === url;
  if (env.token !== null && isMeant) return { url, token: env.token.reveal() };
  const known = Object.values(await readProfiles(env.configDir)).find((one) => one.url === url);
  if (known !== undefined) return known;
  throw new CommandError(
    "connection",
    `there is no token for ${url}: set CLAUDE_HUB_TOKEN, or run claude-hub login --url ${url}`,
  );
}

async function byProfile(name: string, env: ClientEnvironment): Promise<Access> {
  const profiles = await readProfiles(env.configDir);
  const found = Object.hasOwn(profiles, name) ? profiles[name] : undefined;
  if (found !== undefined) return found;
  throw new CommandError(
    "connection",
    `there is no profile ${JSON.stringify(name)}; claude-hub login --profile ${name} --url URL makes it`,
  );
}

async function byDirectory(named: string | undefined): Promise<Access> {
  const { dir, url, token } = await readLocalHub({ CLAUDE_HUB_DIR: named });
  if (url === null || !(await isTaken(dir)))
    throw new CommandError(
      "connection",
      `no hub runs in ${dir}; start one (claude-hub serve), or name another with --url or claude-hub login`,
    );
  if (token === null)
    throw new CommandError("connection", `the token of the hub in ${dir} cannot be read here`);
  return { url, token: token.reveal() };
}

/** As it is compared and kept. */
export function hubAddress(text: string): string {
  if (/^https?:\/\/[^/]/i.test(text) && URL.canParse(text)) {
    const { search, hash, username, password, origin, pathname } = new URL(text);
    if (search === "" && hash === "" && username === "" && password === "")
      return `${origin}${pathname}`.replace(/\/+$/, "");
  }
  throw new CommandError(
    "usage",
    `${JSON.stringify(text)} is no address of a hub, as https://HOST`,
  );
}
