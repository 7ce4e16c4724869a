/** A remark on a file; without a line it is on one that has gone. */
export interface Remark {
  path: string;
  line: number | null;
  body: string;
}

/** How far apart two remarks on the same thing may stand: code moves when something is added above it. */
const NEAR_LINES = 5;
/** Of all words of both, those that both have. */
const ALIKE = 0.6;

/** Whether somebody who reads both would say that they are one. */
export function isSameRemark(one: Remark, other: Remark): boolean {
  if (one.path !== other.path) return false;
  const apart = one.line === null || other.line === null ? 0 : Math.abs(one.line - other.line);
  return apart <= NEAR_LINES && likeness(one.body, other.body) >= ALIKE;
}

/** From 0 (nothing in common) to 1 (the same words). */
function likeness(one: string, other: string): number {
  const [a, b] = [wordsOf(one), wordsOf(other)];
  const common = [...a].filter((word) => b.has(word)).length;
  const all = a.size + b.size - common;
  return all === 0 ? 1 : common / all;
}

function wordsOf(text: string): Set<string> {
  return new Set(
    text
      .replaceAll(/<!--[\s\S]*?-->|\u2060/g, "")
      .toLowerCase()
      .match(/[\p{L}\p{N}_]+/gu) ?? [],
  );
}
