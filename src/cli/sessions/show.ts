import type { Hub, SessionResource } from "../../client/hub.ts";
import { excessText } from "../../core/budget.ts";
import { terminalLine, terminalText } from "../../core/terminal-text.ts";
import type { ShowOptions } from "../commands/show.ts";
import { connect } from "../connection/connect.ts";
import { findSession } from "../connection/find-session.ts";
import { printJson } from "../screen/json.ts";
import { statusText, style } from "../screen/style.ts";
import { facts } from "../screen/table.ts";
import { ago, duration, moment } from "../screen/time.ts";

type Output = Awaited<ReturnType<Hub["output"]>>;

const LISTED = 20;

export async function show(text: string, options: ShowOptions): Promise<void> {
  const hub = await connect(options);
  const session = await findSession(hub, text);
  const { summary, nextSteps, artifacts } = await hub.output(session.id);
  if (options.json === true) return printJson({ ...session, summary, nextSteps, artifacts });
  process.stdout.write(sessionFacts(session));
  if (summary !== "") process.stdout.write(`\n${terminalText(summary)}\n`);
  for (const step of nextSteps) process.stdout.write(`  next: ${terminalLine(step, 500)}\n`);
  if (artifacts.length > 0) process.stdout.write(`\n${artifactLines(artifacts)}`);
}

function sessionFacts(session: SessionResource): string {
  const { project, usage, dependencies } = session;
  const { completedAt, startedAt } = session;
  return facts([
    ["session", style("bold", session.id)],
    ["status", statusText(session.status)],
    ["paused", pauseText(session.pause)],
    ["error", session.error === null ? null : style("red", terminalText(session.error))],
    ["type", session.type],
    ["repository", project.repository],
    ["begins from", project.branch ?? null],
    ["branch", session.workBranch],
    ["task", terminalText(project.requirements)],
    ["depends on", dependencies.length === 0 ? null : dependencies.join("\n")],
    ["continues", session.continuesId],
    ["orchestration", session.orchestrationId],
    ["created", `${moment(session.createdAt)}, ${ago(session.createdAt)}`],
    ["started", startedAt === null ? null : moment(startedAt)],
    ["ended", completedAt === null ? null : endedText(completedAt, startedAt)],
    ["tokens", usage.modelCalls === 0 ? null : tokensText(usage)],
    ["budget", budgetText(session.budget)],
    ["cost", usage.costUsd === 0 ? null : `$${usage.costUsd.toFixed(4)} at list prices`],
  ]);
}

function endedText(completedAt: string, startedAt: string | null): string {
  if (startedAt === null) return moment(completedAt);
  const took = duration(Date.parse(completedAt) - Date.parse(startedAt));
  return `${moment(completedAt)}, after ${took}`;
}

function tokensText(usage: SessionResource["usage"]): string {
  const read = usage.inputTokens + usage.cacheReadTokens + usage.cacheWriteTokens;
  return `${read} in, ${usage.outputTokens} out, ${usage.modelCalls} calls`;
}

function pauseText(pause: SessionResource["pause"]): string | null {
  if (pause === null) return null;
  const until = pause.until === null ? "until it is resumed" : `until ${moment(pause.until)}`;
  return `since ${moment(pause.at)}, ${until}: ${terminalLine(pause.reason, 300)}`;
}

/** What has been used of what it may use; null: there is no limit. */
function budgetText(budget: SessionResource["budget"]): string | null {
  const parts = (["costUsd", "tokens", "minutes"] as const).flatMap((what) => {
    const use = budget[what];
    return use === null ? [] : [excessText({ what, limit: use.limit, used: use.used })];
  });
  return parts.length === 0 ? null : `${parts.join(", ")} used`;
}

function artifactLines(artifacts: Output["artifacts"]): string {
  const lines = artifacts.slice(0, LISTED).map(({ type, path, sha, url, metadata }) => {
    const what = path ?? sha?.slice(0, 10) ?? "";
    const subject = metadata?.["subject"];
    const more = [typeof subject === "string" ? subject : null, url ?? null];
    return `  ${type.padEnd(8)} ${terminalLine([what, ...more.filter((one) => one !== null)].join("  "), 300)}`;
  });
  if (artifacts.length > LISTED) lines.push(`  … ${artifacts.length - LISTED} more`);
  return `${lines.join("\n")}\n`;
}
