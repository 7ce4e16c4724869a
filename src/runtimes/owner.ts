import { createHash } from "node:crypto";
import { realpath } from "node:fs/promises";

/**
 * What tells the sandboxes of one hub from those of another on the same machine: the directory they are in. Hashed,
 * because sandboxes see it and have no business with the hub's paths.
 */
export async function ownerOf(sandboxesDir: string): Promise<string> {
  const path = await realpath(sandboxesDir);
  return createHash("sha256").update(path).digest("hex").slice(0, 16);
}
