import Table from "cli-table3";
import { style } from "./style.ts";

const PLACES = ["top", "bottom", "left", "right", "mid"].flatMap((side) =>
  ["", "-mid", "-left", "-right"].map((end) => `${side}${end}`),
);
const NO_LINES = { ...Object.fromEntries(PLACES.map((place) => [place, ""])), middle: "  " };

/** Columns without lines around them, as wide as what stands in them. */
export function table(head: string[], rows: string[][]): string {
  const made = new Table({
    head: head.map((name) => style("bold", name)),
    chars: NO_LINES,
    style: { head: [], border: [], "padding-left": 0, "padding-right": 0 },
  });
  made.push(...rows);
  return `${made
    .toString()
    .split("\n")
    .map((line) => line.trimEnd())
    .join("\n")}\n`;
}

/** Names and what belongs to them, one a line; null is left out. */
export function facts(pairs: [string, string | null][]): string {
  const shown = pairs.flatMap(([name, value]) => (value === null ? [] : [[name, value] as const]));
  const width = Math.max(0, ...shown.map(([name]) => name.length));
  return shown
    .map(([name, value]) => {
      const lines = value.replaceAll("\n", `\n${" ".repeat(width + 2)}`);
      return `${style("bold", name.padEnd(width))}  ${lines}\n`;
    })
    .join("");
}

/** How many letters a line may have; plenty where nobody looks. */
export function screenWidth(): number {
  return process.stdout.isTTY ? Math.max(60, process.stdout.columns) : 160;
}

/** The shortest beginnings that tell these ids apart, all of one length. */
export function shortIds(ids: string[]): (id: string) => string {
  let length = 8;
  while (length < 36 && new Set(ids.map((id) => id.slice(0, length))).size < new Set(ids).size)
    length += 1;
  return (id) => id.slice(0, length).replace(/-$/, "");
}
