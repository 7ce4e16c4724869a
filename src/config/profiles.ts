import { mkdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { writePrivate } from "./private-file.ts";
import { ConfigError } from "./source.ts";

/** A hub that somebody has logged in to. */
const Profile = z.object({ url: z.string(), token: z.string() });
type Profile = z.infer<typeof Profile>;

const Profiles = z.record(z.string(), Profile);
type Profiles = z.infer<typeof Profiles>;

/** The profile that is meant when none is named. */
export const USUAL_PROFILE = "default";

const NAME = /^[\w.-]{1,64}$/;

/** Whether a profile may be called so. */
export function isProfileName(name: string): boolean {
  return NAME.test(name) && name !== "__proto__";
}

/**
 * What was logged in to, by name; nothing when there is no file.
 *
 * @throws ConfigError when the file can be read by others, or makes no sense.
 */
export async function readProfiles(configDir: string): Promise<Profiles> {
  const path = join(configDir, "profiles.json");
  const found = await stat(path).catch(absent);
  if (found === null) return {};
  if ((found.mode & 0o077) !== 0)
    throw new ConfigError(`${path} can be read by others; it must have mode 0600.`);
  try {
    return Profiles.parse(JSON.parse(await readFile(path, "utf8")));
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof z.ZodError)) throw error;
    throw new ConfigError(`${path} is not what login writes; delete it and log in again.`);
  }
}

/** Keeps them for the owner alone. */
export async function writeProfiles(configDir: string, profiles: Profiles): Promise<string> {
  await mkdir(configDir, { recursive: true, mode: 0o700 });
  const path = join(configDir, "profiles.json");
  await writePrivate(path, `${JSON.stringify(profiles, null, 2)}\n`);
  return path;
}

function absent(error: unknown): null {
  if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
  throw error;
}
