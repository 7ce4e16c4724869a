import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { Secret } from "../core/secret.ts";
import { readOrMake } from "../store/data-dir/kept-file.ts";

/** What notices are signed with, the newest first; one that nobody has given is made, and kept in the data directory. */
export async function notifyKeysOf(
  given: { notify: Secret | null; notifyPrevious: Secret | null },
  dir: string,
): Promise<Secret[]> {
  const { notify, notifyPrevious } = given;
  const first = notify ?? new Secret(await readOrMake(join(dir, "notify-secret"), newKey));
  return notifyPrevious === null ? [first] : [first, notifyPrevious];
}

function newKey(): string {
  return `whsec_${randomBytes(32).toString("base64")}`;
}
