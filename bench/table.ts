/** One measured value beside what it is compared with. */
export interface Figure {
  what: string;
  value: number;
  unit: string;
  /** What it is compared with, and how much that is: measured in the same run, or a figure of the older system. */
  reference?: { name: string; value: number };
  /** What is to be reached; `atMost` for times and sizes. */
  target?: { value: number; atMost: boolean };
}

export function asMarkdown(
  figures: Figure[],
  { cores, node, at }: { cores: number; node: string; at: string },
): string {
  const rows = figures.map(({ what, value, unit, reference, target }) => {
    const ratio =
      reference === undefined
        ? ""
        : `${(value / reference.value).toFixed(2)} × ${reference.name} (${show(reference.value)})`;
    const goal = target === undefined ? "" : `${target.atMost ? "≤" : "≥"} ${show(target.value)}`;
    const reached =
      target === undefined
        ? ""
        : (target.atMost ? value <= target.value : value >= target.value)
          ? "yes"
          : "no";
    return `| ${what} | ${show(value)} ${unit} | ${ratio} | ${goal} | ${reached} |`;
  });
  return `# Benchmark

${at}, ${cores} cores, Node.js ${node}. Hub, database, load and agents share the machine. Everything is durable before it is
answered. Made by \`npm run bench\`.

| what | measured | compared with | target | reached |
| --- | --- | --- | --- | --- |
${rows.join("\n")}
`;
}

function show(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString("en") : value.toPrecision(3);
}

export function median(values: number[]): number {
  return percentile(values, 0.5);
}

export function percentile(values: number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
}
