import type { Pause, Session } from "../../core/session.ts";
import { cut, fenced, neutralise } from "./neutralise.ts";
import type { Progress } from "./progress.ts";
import { questionsText } from "./questions.ts";

export interface StatusView {
  session: Session;
  progress: Progress;
  /** How many wait for a slot before it; null: it does not wait for one. */
  ahead: number | null;
  asker: string;
  /** By which people mention the bot. */
  botLogin: string;
  /** What came of it, in the agent's words; empty before the end. */
  summary: string;
  nextSteps: readonly string[];
  pullRequestUrl: string | null;
  reviewUrl: string | null;
  /** Changes were made and pushed, but there is no pull request: one can be opened there. */
  compareUrl: string | null;
  now: Date;
}

/** GitHub takes 65,536 characters. */
const MAX_CHARS = 60_000;
const SUMMARY_CHARS = 20_000;
const LOG_CHARS = 8_000;
const STOP = "Stop this session";
const RETRY = "Try again";
export const STOP_PLAN = "Stop this plan";

const TICKED = new RegExp(
  `\\n- \\[[xX]\\] (${STOP}|${STOP_PLAN}|${RETRY})[ \\t]*\\s*(?:<!-- claude-hub [^\\n]*-->\\s*)?$`,
);

/** The one comment that tells of a session, for as long as it lives and at its end. */
export function statusComment(view: StatusView): string {
  const { session, progress } = view;
  const ended = session.completedAt !== null;
  const parts = [
    headline(view),
    ended ? neutralise(view.summary, SUMMARY_CHARS) : questionsText(progress.questions, view),
    plan(progress),
    ended ? nextSteps(view.nextSteps) : "",
    links(view),
    ended ? figures(view) : "",
    log(progress),
    box(session),
  ].filter((part) => part !== "");
  return cut(parts.join("\n\n"), MAX_CHARS);
}

/** Whether somebody has ticked a box of the comment that tells of this session. */
export function tickedBox(body: string): "stop" | "retry" | null {
  // The last line of ours, and nowhere else: above it stands what an agent has written.
  const [, label] = TICKED.exec(body) ?? [];
  return label === undefined ? null : label === RETRY ? "retry" : "stop";
}

function headline({ session, progress, ahead, asker }: StatusView): string {
  // Whoever asked is told by the answer to the question; a name in each edit would call nobody again.
  const whose = `for ${neutralise(`@${asker}`, 60)}`;
  switch (session.status) {
    case "completed":
      return `**Done** ${whose}.`;
    case "failed":
      return `**Failed** ${whose}: ${neutralise(session.error ?? "for an unknown reason", 1_000)}`;
    case "cancelled":
      return `**Stopped** ${whose}: ${neutralise(session.error ?? "it was cancelled", 1_000)}`;
    case "pending":
      return progress.waitsFor === "dependencies"
        ? `**Waiting** ${whose}, for the session before it on this thread.`
        : `**Queued** ${whose}, until there is a free slot${aheadText(ahead)}.`;
    default:
      if (session.pause !== null) return `**Paused** ${whose}${pauseText(session.pause)}.`;
      return `**Working** ${whose}. ${progress.step === "" ? "" : `*${neutralise(progress.step, 300).replaceAll("*", "")}*`}`;
  }
}

function pauseText({ reason, until }: Pause): string {
  const when = until === null ? "" : `, until ${until.slice(0, 16).replace("T", " ")} UTC`;
  return `${when}: ${neutralise(reason, 300)}`;
}

function aheadText(ahead: number | null): string {
  if (ahead === null || ahead === 0) return "";
  return ahead === 1 ? "; one is before it" : `; ${ahead} are before it`;
}

function plan({ plan: tasks }: Progress): string {
  return tasks
    .map(({ text, state }) => {
      const line = neutralise(text, 300).replaceAll("\n", " ");
      return `- [${state === "done" ? "x" : " "}] ${state === "begun" ? `**${line}**` : line}`;
    })
    .join("\n");
}

function nextSteps(steps: readonly string[]): string {
  if (steps.length === 0) return "";
  const lines = steps.slice(0, 20).map((one) => `- ${neutralise(one, 500).replaceAll("\n", " ")}`);
  return `What people may do next:\n${lines.join("\n")}`;
}

function links({ progress, pullRequestUrl, reviewUrl, compareUrl }: StatusView): string {
  const parts = [
    reviewUrl === null ? "" : `[Review](${reviewUrl})`,
    pullRequestUrl === null ? "" : `[Pull request](${pullRequestUrl})`,
    progress.branch === null ? "" : `branch \`${progress.branch.name.replaceAll("`", "")}\``,
    pullRequestUrl === null && compareUrl !== null ? `[open a pull request](${compareUrl})` : "",
  ];
  return parts.filter((part) => part !== "").join(" · ");
}

function figures({ session, progress }: StatusView): string {
  const { usage } = session;
  const tokens =
    usage.inputTokens + usage.outputTokens + usage.cacheReadTokens + usage.cacheWriteTokens;
  const parts = [
    session.admittedAt === null || session.completedAt === null
      ? ""
      : duration(
          Date.parse(session.completedAt) - Date.parse(session.admittedAt) - session.pausedMs,
        ),
    progress.model === null ? "" : neutralise(progress.model, 100),
    tokens === 0 ? "" : `${tokens.toLocaleString("en")}${ofTokens(session)} tokens`,
    usage.costUsd === 0 ? "" : `$${usage.costUsd.toFixed(2)}${ofDollars(session)}`,
    progress.refusals === 0 ? "" : `${progress.refusals} things refused`,
    session.status === "completed" ? "" : `reference: session \`${session.id}\``,
  ];
  const told = parts.filter((part) => part !== "");
  return told.length === 0 ? "" : `<sub>${told.join(" · ")}</sub>`;
}

function ofTokens({ budget: { tokens } }: Session): string {
  return tokens === null ? "" : ` of ${tokens.toLocaleString("en")}`;
}

function ofDollars({ budget: { costUsd } }: Session): string {
  return costUsd === null ? "" : ` of $${costUsd.toFixed(2)}`;
}

function duration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

function log({ log: lines }: Progress): string {
  if (lines.length === 0) return "";
  const tail = cut(lines.join("\n").slice(-LOG_CHARS), LOG_CHARS);
  return `<details><summary>Log</summary>\n\n${fenced(tail)}\n\n</details>`;
}

function box({ status, completedAt }: Session): string {
  if (completedAt === null) return `- [ ] ${STOP}`;
  return status === "completed" ? "" : `- [ ] ${RETRY}`;
}
