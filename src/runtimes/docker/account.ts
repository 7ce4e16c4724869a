import { firstFile } from "./archive.ts";
import type { Container, Engine } from "./engine.ts";

export interface Account {
  uid: number;
  gid: number;
}

/** The numbers of the user that a container runs as, from its own list of users; an image is looked into once. */
export function createAccounts(engine: Engine): (container: Container) => Promise<Account> {
  const known = new Map<string, Promise<Account>>();

  async function look({ id, user }: Container): Promise<Account> {
    const archive = await engine.getArchive(id, "/etc/passwd");
    const account = accountOf(user, archive === null ? "" : (firstFile(archive) ?? ""));
    if (account === null) throw new Error(`the image knows no user ${JSON.stringify(user)}`);
    if (account.uid === 0)
      throw new Error(
        `the image runs as ${JSON.stringify(user)}, which is root: its USER must be another one`,
      );
    return account;
  }

  return async (container) => {
    const key = `${container.imageId} ${container.user}`;
    const found = known.get(key) ?? look(container);
    known.set(key, found);
    try {
      return await found;
    } catch (error) {
      known.delete(key);
      throw error;
    }
  };
}

/** Reads `user`, `user:group`, `uid` or `uid:gid`; a group that has only a name is the user's own. */
export function accountOf(user: string, passwd: string): Account | null {
  const [name = "", group = ""] = user.split(":");
  const rows = passwd.split("\n").map((line) => line.split(":"));
  const row = rows.find((fields) => fields[0] === name || (isNumber(name) && fields[2] === name));
  const uid = Number(isNumber(name) ? name : (row?.[2] ?? Number.NaN));
  const gid = Number(isNumber(group) ? group : (row?.[3] ?? (isNumber(name) ? 0 : Number.NaN)));
  return Number.isInteger(uid) && Number.isInteger(gid) ? { uid, gid } : null;
}

function isNumber(text: string): boolean {
  return /^\d+$/.test(text);
}
