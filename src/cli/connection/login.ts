import { createHub } from "../../client/hub.ts";
import { clientEnvironment } from "../../config/client-environment.ts";
import { isProfileName, readProfiles, writeProfiles } from "../../config/profiles.ts";
import { CommandError } from "../exit.ts";
import { createPrompt } from "../prompt.ts";
import { hubAddress } from "./connect.ts";

/** Tries the token at the hub, and keeps both for the owner alone. */
export async function login(options: { url: string; profile: string }): Promise<void> {
  const url = hubAddress(options.url);
  if (!isProfileName(options.profile))
    throw new CommandError("usage", "a profile's name has letters, digits, hyphens and dots");
  if (url.startsWith("http:") && !isLoopback(url))
    process.stderr.write(`claude-hub: whoever is between here and ${url} can read the token\n`);
  const token = await askToken(url);
  await createHub({ url, token }).list({ limit: 1 });
  const { configDir } = clientEnvironment();
  const profiles = await readProfiles(configDir);
  const path = await writeProfiles(configDir, { ...profiles, [options.profile]: { url, token } });
  process.stdout.write(`Logged in to ${url}; kept in ${path} as ${options.profile}.\n`);
}

export async function logout({ profile }: { profile: string }): Promise<void> {
  const { configDir } = clientEnvironment();
  const { [profile]: left, ...others } = await readProfiles(configDir);
  if (left === undefined)
    throw new CommandError("notFound", `there is no profile ${JSON.stringify(profile)}`);
  await writeProfiles(configDir, others);
  process.stdout.write(`Logged out of ${left.url}.\n`);
}

async function askToken(url: string): Promise<string> {
  using prompt = createPrompt(process.stdin, process.stderr);
  const token = (await prompt.secret(`Token for ${url}`)).reveal();
  if (/^[\x21-\x7e]{1,4096}$/.test(token)) return token;
  throw new CommandError("usage", "a token has letters, digits and signs, without blanks");
}

function isLoopback(url: string): boolean {
  return /^(localhost|127\..*|\[::1\])$/.test(new URL(url).hostname);
}
