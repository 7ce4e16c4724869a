import { randomBytes } from "node:crypto";
import { rename, writeFile } from "node:fs/promises";

/** For the owner alone; whole or not at all: written under another name first. */
export async function writePrivate(path: string, text: string): Promise<void> {
  const draft = `${path}.${randomBytes(6).toString("hex")}`;
  await writeFile(draft, text, { mode: 0o600, flag: "wx" });
  await rename(draft, path);
}
