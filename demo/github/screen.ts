import { styleText } from "node:util";
import type { Audience, Told } from "./story.ts";
import { modelLine } from "../screen.ts";
import type { Verdict } from "./verify.ts";

export interface StoryScreen extends Audience {
  opening(facts: { hub: string; github: string; runtime: string; real: boolean }): void;
  closing(facts: { told: Told; verdict: Verdict; durationMs: number }): void;
}

type Style = Parameters<typeof styleText>[0];

const NAME_WIDTH = 17;
/** The log below the comment is for those who unfold it. */
const FOLDED = /<details>[^]*<\/details>/g;
const MARK = /<!--[^]*?-->/g;

/** Writes the story to a terminal, or as plain text where there is none. */
export function createStoryScreen(out: NodeJS.WriteStream): StoryScreen {
  const startedAt = performance.now();
  const style = (format: Style, text: string) =>
    styleText(format, text, { stream: out, validateStream: true });
  const write = (text = "") => out.write(`${text}\n`);
  const heading = (text: string) => write(`\n${style("bold", text)}`);
  const shown = new Map<number, string[]>();

  return {
    opening({ hub, github, runtime, real }) {
      heading("Claude Hub on GitHub: from an issue to a merge");
      write(`  hub       ${hub}, a GitHub App with a database of its own`);
      write(`  GitHub    ${github}: real git, signed webhooks, real tokens, checked requests`);
      write(`  sandboxes ${runtime}`);
      write(modelLine(real));
      write("  agent     Claude Code");
      heading("Live");
    },
    did(who, what) {
      const time = seconds(performance.now() - startedAt).padStart(7);
      const colour = who.endsWith("[bot]") ? "cyan" : who === "CI" ? "yellow" : "magenta";
      write(`${style("dim", time)}  ${style(colour, who.padEnd(NAME_WIDTH))} ${what}`);
    },
    comment(number, body) {
      const before = shown.get(number) ?? [];
      const now = linesOf(body);
      const at = " ".repeat(9 + NAME_WIDTH);
      for (const line of before.filter((one) => !now.includes(one)))
        write(`${at} ${style("red", `- ${line}`)}`);
      for (const line of now.filter((one) => !before.includes(one)))
        write(`${at} ${style("green", `+ ${line}`)}`);
      write();
      shown.set(number, now);
    },
    closing({ told, verdict, durationMs }) {
      heading("What GitHub has now");
      for (const fact of verdict.facts) write(`  ${fact}`);
      heading("How long it took");
      write(`  mention → 👀               ${Math.round(told.heardMs)} ms`);
      write(`  mention → first comment    ${Math.round(told.startedMs)} ms`);
      write(`  mention → pull request     ${seconds(told.doneMs)}`);
      heading("What the bot has written");
      for (const [route, count] of Object.entries(verdict.written))
        write(`  ${String(count).padStart(3)} × ${route}`);
      write(`\n  ${seconds(durationMs)} from nothing to here.`);
      for (const problem of verdict.problems) write(`  ${style("red", `problem: ${problem}`)}`);
      if (verdict.problems.length > 0) return;
      heading("Where to look next");
      write("  docs/github.md           make the hub your bot");
    },
  };
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}

function linesOf(body: string): string[] {
  return body
    .replaceAll(FOLDED, "")
    .replaceAll(MARK, "")
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
}
