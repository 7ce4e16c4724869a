import { styleText } from "node:util";
import type { OrchestrationView } from "../../test/kit/hub/coordination.ts";
import { modelLine } from "../screen.ts";
import type { Verdict } from "./verify.ts";

type Style = Parameters<typeof styleText>[0];
type Node = OrchestrationView["sessions"][number];

const SIGNS: Record<string, { sign: string; style: Style }> = {
  pending: { sign: "○", style: "dim" },
  initializing: { sign: "◌", style: "yellow" },
  running: { sign: "●", style: "cyan" },
  completed: { sign: "✓", style: "green" },
  failed: { sign: "✗", style: "red" },
  cancelled: { sign: "✗", style: "red" },
};
const WIDTH = 16;
const UP = (lines: number) => `\u001b[${lines}A\u001b[J`;

/** Draws the graph again and again in a terminal; where there is none, whenever it has changed. */
export function createGraphScreen(out: NodeJS.WriteStream) {
  const startedAt = performance.now();
  const style = (format: Style, text: string) =>
    styleText(format, text, { stream: out, validateStream: true });
  const write = (text = "") => out.write(`${text}\n`);
  const heading = (text: string) => write(`\n${style("bold", text)}`);
  let shown: string[] = [];

  function lineOf(node: Node, view: OrchestrationView, at: string): string {
    const { sign, style: format } = SIGNS[node.status] ?? { sign: "?", style: "red" };
    const titles = node.dependencies.map(
      (id) => view.sessions.find(({ sessionId }) => sessionId === id)?.title ?? "?",
    );
    const after = titles.length === 0 ? "" : `  after ${titles.join(", ")}`;
    const name = (node.title ?? "").padEnd(WIDTH);
    return `  ${at} ${style(format, `${sign} ${name} ${node.status}`)}${style("dim", after)}`;
  }

  function drawn(view: OrchestrationView): string[] {
    const [first, ...others] = view.sessions;
    if (first === undefined) return [];
    const lines = others.map((node, at) =>
      lineOf(node, view, at === others.length - 1 ? "└─" : "├─"),
    );
    return [lineOf(first, view, "  ").replace("  ", ""), ...lines];
  }

  return {
    opening({
      hub,
      github,
      runtime,
      real,
    }: Record<"hub" | "github" | "runtime", string> & { real: boolean }) {
      heading("Claude Hub: one request, four agents, and one that coordinates them");
      write(`  hub       ${hub}, with a database of its own`);
      write(`  GitHub    ${github}: real git, checked requests`);
      write(`  sandboxes ${runtime}`);
      write(modelLine(real));
      write("  agent     Claude Code, in each of them");
      heading("Live");
    },
    graph(view: OrchestrationView): void {
      const lines = drawn(view);
      if (lines.join("\n") === shown.join("\n")) return;
      if (out.isTTY && shown.length > 0) out.write(UP(shown.length));
      else if (!out.isTTY) write(`${((performance.now() - startedAt) / 1_000).toFixed(1)} s`);
      for (const line of lines) write(line);
      shown = lines;
    },
    closing({ verdict, durationMs }: { verdict: Verdict; durationMs: number }): void {
      heading("One pull request");
      for (const fact of verdict.facts) write(`  ${fact}`);
      write(`\n  ${(durationMs / 1_000).toFixed(1)} s from nothing to here.`);
      for (const problem of verdict.problems) write(`  ${style("red", `problem: ${problem}`)}`);
    },
  };
}
