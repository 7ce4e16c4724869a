/** Patterns of paths: `*` and `?` within a name, `**` for any directories; a pattern stands for all below it, too. */

/** Whether some path may be meant by both. Says so in doubt: what is taken for the same is only done one after the other. */
export function mayOverlap(one: string, other: string): boolean {
  const [left, right] = [partsOf(one), partsOf(other)];
  // Row by row: may the parts of `left` from here on meet those of `right` from there on?
  let below = right.map((_, at) => right.slice(at).every((part) => part === ANY)).concat(true);
  for (let l = left.length - 1; l >= 0; l -= 1) {
    const part = left[l] ?? "";
    const row = Array<boolean>(right.length + 1).fill(false);
    row[right.length] = part === ANY && below[right.length] === true;
    for (let r = right.length - 1; r >= 0; r -= 1) {
      const facing = right[r] ?? "";
      // What stands for anything stands for nothing, or for what faces it and goes on.
      if (part === ANY || facing === ANY) row[r] = below[r] === true || row[r + 1] === true;
      else row[r] = below[r + 1] === true && mayBeSameName(part, facing);
    }
    below = row;
  }
  return below[0] === true;
}

const ANY = "**";

function partsOf(pattern: string): string[] {
  const parts = pattern.split("/").filter((part) => part !== "" && part !== ".");
  // Also the directory itself stands for what is in it.
  return parts.at(-1) === ANY ? parts : [...parts, ANY];
}

/** By what stands before the first wildcard, and after the last one. */
function mayBeSameName(one: string, other: string): boolean {
  const [left, right] = [fixedEnds(one), fixedEnds(other)];
  if (left === null && right === null) return one === other;
  const { head, tail } = left ?? { head: one, tail: one };
  const facing = right ?? { head: other, tail: other };
  return (
    (head.startsWith(facing.head) || facing.head.startsWith(head)) &&
    (tail.endsWith(facing.tail) || facing.tail.endsWith(tail))
  );
}

function fixedEnds(name: string): { head: string; tail: string } | null {
  const first = name.search(WILD);
  if (first === -1) return null;
  const tail = name.split(/[*?[\]{}]/).at(-1) ?? "";
  return { head: name.slice(0, first), tail };
}
// Sets and choices are not spelled out here: they stand for anything.
const WILD = /[*?[\]{}]/;
