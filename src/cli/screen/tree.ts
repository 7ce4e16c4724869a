/** One thing that may come after others. */
export interface TreeNode {
  id: string;
  after: readonly string[];
  /** What is shown of it. */
  text: string;
}

/** Deeper ones stand no further to the right. */
const DEEPEST = 12;

/**
 * Who comes after whom, one a line: below the last of those that it comes after; the others are named.
 *
 * @param nodes Each after all that it comes after; what is not among them is not shown.
 */
export function tree(nodes: readonly TreeNode[], nameOf: (id: string) => string): string {
  const depth = new Map<string, number>();
  const below = new Map<string | null, TreeNode[]>();
  const shownBelow = new Map<string, string | null>();
  for (const node of nodes) {
    const known = node.after.filter((id) => depth.has(id));
    const parent = known.toSorted((a, b) => (depth.get(b) ?? 0) - (depth.get(a) ?? 0))[0] ?? null;
    depth.set(node.id, parent === null ? 0 : (depth.get(parent) ?? 0) + 1);
    shownBelow.set(node.id, parent);
    below.set(parent, [...(below.get(parent) ?? []), node]);
  }
  const lines: string[] = [];
  const draw = (parent: string | null, indent: string, level: number): void => {
    const children = below.get(parent) ?? [];
    for (const [index, node] of children.entries()) {
      const isLast = index === children.length - 1;
      const isDeep = level > DEEPEST;
      const others = node.after.filter((id) => isDeep || id !== shownBelow.get(node.id));
      const also = others.length === 0 ? "" : `  (after ${others.map(nameOf).join(", ")})`;
      const branch = level === 0 ? "" : isLast ? "└─ " : "├─ ";
      lines.push(`${indent}${branch}${node.text}${also}`);
      const more = level === 0 || isDeep ? "" : isLast ? "   " : "│  ";
      draw(node.id, `${indent}${more}`, level + 1);
    }
  };
  draw(null, "", 0);
  return lines.length === 0 ? "" : `${lines.join("\n")}\n`;
}
