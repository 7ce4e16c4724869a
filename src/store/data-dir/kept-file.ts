import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { hasCode } from "../failure.ts";

/** What the file holds, without white space around it; an absent or empty one is made first, for the owner alone. */
export async function readOrMake(path: string, make: () => string): Promise<string> {
  const found = await readFile(path, "utf8").catch((error: unknown) => {
    if (hasCode(error, "ENOENT")) return "";
    throw error;
  });
  if (found.trim() !== "") return found.trim();
  const made = make();
  // By another name first: a kill in the middle must not leave half of it.
  await rm(`${path}.draft`, { force: true });
  await writeFile(`${path}.draft`, `${made}\n`, { mode: 0o600, flag: "wx" });
  await rename(`${path}.draft`, path);
  return made;
}
