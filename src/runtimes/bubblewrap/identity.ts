import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";

/** User and group number of one sandbox. */
export interface Identity {
  uid: number;
  gid: number;
}

export interface IdRange {
  first: number;
  count: number;
}

/**
 * Numbers that nobody else uses, the widest first. systemd's table of user numbers (systemd.io/UIDS-GIDS) leaves the
 * first range to nobody; it is so wide that names, hashed into it, do not meet. The second is for a hub that is itself in a container
 * with 65,536 numbers.
 */
const RANGES: IdRange[] = [
  { first: 1_900_000_000, count: 200_000_000 },
  { first: 20_000, count: 40_000 },
];

/** Null: the hub may not become other users, for it is not root or in a namespace that holds few. */
export async function findIdRange(): Promise<IdRange | null> {
  if (process.getuid?.() !== 0) return null;
  const maps = [await readMap("/proc/self/uid_map"), await readMap("/proc/self/gid_map")];
  const fits = (range: IdRange) =>
    maps.every((map) => map.some((row) => row.first <= range.first && end(range) <= end(row)));
  return RANGES.find(fits) ?? null;
}

/** Whether the hub's user is, or may be, the machine's root rather than the root of some user namespace. */
export async function mayBeMachineRoot(): Promise<boolean> {
  if (process.getuid?.() !== 0) return false;
  const map = await readMap("/proc/self/uid_map");
  return map.some((row) => row.first === 0 && row.outside === 0);
}

/** A user of the sandbox's own, the same whenever it is asked for. */
export function identityIn(range: IdRange, name: string): Identity {
  const hash = createHash("sha256").update(name).digest().readUIntBE(0, 6);
  const id = range.first + (hash % range.count);
  return { uid: id, gid: id };
}

function end(range: IdRange): number {
  return range.first + range.count;
}

async function readMap(path: string): Promise<(IdRange & { outside: number })[]> {
  const rows = (await readFile(path, "utf8")).trim().split("\n");
  return rows.map((row) => {
    const [first = 0, outside = 0, count = 0] = row.trim().split(/\s+/).map(Number);
    return { first, outside, count };
  });
}
