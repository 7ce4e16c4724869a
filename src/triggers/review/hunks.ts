export type Side = "LEFT" | "RIGHT";

/** Lines that a comment can stand on, by side: the line's number and its hunk. */
export type Commentable = Record<Side, ReadonlyMap<number, number>>;

const HEADER = /^@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@/;

/** Reads hunks of a unified difference, as GitHub gives them of a file; null: it gives none, so no line can be commented on. */
export function commentable(patch: string | null): Commentable {
  const lines = { LEFT: new Map<number, number>(), RIGHT: new Map<number, number>() };
  let left = 0;
  let right = 0;
  let hunk = -1;
  for (const text of (patch ?? "").split("\n")) {
    const header = HEADER.exec(text);
    if (header !== null) {
      [left, right, hunk] = [Number(header[1]), Number(header[2]), hunk + 1];
      continue;
    }
    // "\ No newline at end of file" is no line, and nothing stands before the first hunk.
    if (hunk < 0 || text === "" || text.startsWith("\\")) continue;
    if (!text.startsWith("+")) lines.LEFT.set(left++, hunk);
    if (!text.startsWith("-")) lines.RIGHT.set(right++, hunk);
  }
  return lines;
}

/** Why GitHub would not take a comment there; null: it would. */
export function placeFault(
  lines: Commentable,
  { side, line, startLine }: { side: Side; line: number; startLine?: number | undefined },
): string | null {
  const known = lines[side];
  const hunk = known.get(line);
  if (hunk === undefined) return `line ${line} is not part of the difference${nearby(known, line)}`;
  if (startLine === undefined || startLine === line) return null;
  if (startLine > line) return "start_line has to come before line";
  return known.get(startLine) === hunk
    ? null
    : `start_line ${startLine} is not in the same part of the difference as line ${line}`;
}

function nearby(known: ReadonlyMap<number, number>, line: number): string {
  const [nearest] = [...known.keys()].toSorted((a, b) => Math.abs(a - line) - Math.abs(b - line));
  return nearest === undefined ? "" : `; the nearest one that is: ${nearest}`;
}
