import { styleText } from "node:util";
import { eventText } from "../src/core/event-text.ts";
import type { Event } from "../src/core/event.ts";
import { eventStyle } from "../src/cli/screen/style.ts";
import type { DemoSession } from "./session.ts";
import type { Verdict } from "./verify.ts";

export interface Screen {
  opening(facts: { hub: string; forge: string; runtime: string; real: boolean }): void;
  event(session: string, event: Event): void;
  closing(facts: { sessions: DemoSession[]; verdict: Verdict; durationMs: number }): void;
  problem(text: string): void;
}

type Style = Parameters<typeof styleText>[0];

const SESSION_STYLES: Record<string, Style> = { implement: "cyan", test: "magenta" };
/** Of no interest to somebody who watches; the log has them. */
const QUIET = new Set(["unknown", "runner.started", "session.created", "turn.finished"]);
const NAME_WIDTH = 10;

/** Writes the demo to a terminal, or as plain text where there is none. */
export function createScreen(out: NodeJS.WriteStream): Screen {
  const style = (format: Style, text: string) =>
    styleText(format, text, { stream: out, validateStream: true });
  const width = Math.max(60, Math.min(out.columns ?? 110, 160));
  const write = (text = "") => out.write(`${text}\n`);
  const heading = (text: string) => write(`\n${style("bold", text)}`);

  return {
    opening({ hub, forge, runtime, real }) {
      heading("Claude Hub: one request, two sessions, two branches");
      write(`  hub       ${hub}, with a database of its own`);
      write(`  forge     ${forge}, a git server on this machine`);
      write(
        runtime === "process"
          ? "  sandboxes plain processes, WITHOUT isolation"
          : `  sandboxes ${runtime}: no network, no secrets, a read-only system`,
      );
      write(modelLine(real));
      write("  agent     Claude Code");
      heading("Live");
    },
    event(session, event) {
      if (QUIET.has(event.kind)) return;
      const time = event.at.slice(11, 23);
      const room = width - time.length - NAME_WIDTH - 4;
      const text = eventText(event);
      const cut = text.length > room ? `${text.slice(0, room - 1)}…` : text;
      write(
        `${style("dim", time)}  ${style(SESSION_STYLES[session] ?? "white", session.padEnd(NAME_WIDTH))}${style(eventStyle(event.kind), cut)}`,
      );
    },
    closing({ sessions, verdict, durationMs }) {
      heading("Branches on the forge");
      for (const { name, commits } of verdict.branches) {
        write(`  ${style("green", name)}`);
        for (const commit of commits) write(`    ${commit}`);
      }
      heading("Sessions");
      for (const { name, status, output, tokens, costUsd } of sessions) {
        const facts = `${status}, ${tokens.toLocaleString("en")} tokens, $${costUsd.toFixed(4)} at list prices`;
        write(`  ${style(SESSION_STYLES[name] ?? "white", name.padEnd(NAME_WIDTH))}${facts}`);
        if (output.summary !== "") write(`  ${" ".repeat(NAME_WIDTH)}${output.summary}`);
        for (const step of output.nextSteps) write(`  ${" ".repeat(NAME_WIDTH)}next: ${step}`);
      }
      write(`\n  ${(durationMs / 1_000).toFixed(1)} s from nothing to here.`);
      for (const problem of verdict.problems) this.problem(problem);
      if (verdict.problems.length > 0) return;
      heading("Where to look next");
      write("  npm run demo -- --github       the hub as a bot: from an issue to a merge");
      write("  npm run demo -- --orchestrate  one request, split over four agents");
      write("  npm start                      run the hub itself; it says where it listens");
      write("  README.md                      point it at GitHub and at a model");
      write("  docs/configuration.md          every setting");
    },
    problem: (text) => write(`  ${style("red", `problem: ${text}`)}`),
  };
}

export function modelLine(real: boolean): string {
  return real
    ? "  model     the real one; this costs money"
    : "  model     SCRIPTED: a small server plays the model's part from a file; all the rest is real";
}
