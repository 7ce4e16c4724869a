import type { ChangedFile, Comment, PullRequest } from "../../forge/forge.ts";
import { quoted, sanitise, verbatim } from "../text/sanitise.ts";

const CONTEXT_CHARS = 60_000;
const PATCH_CHARS = 6_000;
const EARLIER_SHOWN = 50;
const EARLIER_CHARS = 500;

/** What a reviewer is to do; `wish`: what somebody has asked for besides. */
export function reviewRequirements({ number, base }: PullRequest, wish: string): string {
  return [
    `Review pull request #${number} (its text, its difference and earlier remarks are in the context). Its head is checked out; it is to be merged into \`origin/${base.branch}\`.`,
    "Look for what is wrong, what could break and what is missing, with the code around it before your eyes. Say what matters, not what is a matter of taste, and nothing that was said before.",
    "Put each finding on its line with the tool `add_review_comment`; only lines of the difference can be commented on. When you are through, call `submit_review` once, with a short summary. Where these tools are missing, give the findings, with files and lines, in your final answer.",
    ...(wish === "" ? [] : [wish]),
  ].join("\n\n");
}

/** What stands on the pull request, as far as there is room: its text, what it changes, and what the bot has said of it. */
export function reviewContext(of: {
  pull: PullRequest;
  files: readonly ChangedFile[];
  /** The bot's own. */
  earlier: readonly Comment[];
  /** Already used up. */
  usedChars?: number;
}): string {
  const { pull, files, earlier, usedChars = 0 } = of;
  const remarks = earlier
    .slice(-EARLIER_SHOWN)
    .map(
      ({ line, body }) =>
        `- ${line?.path ?? ""}:${line?.line ?? "?"}: ${sanitise(body).replaceAll("\n", " ").slice(0, EARLIER_CHARS)}`,
    );
  const parts = [
    ...(usedChars > 0 ? [] : [`Title: ${sanitise(pull.title)}`, quoted(sanitise(pull.body))]),
    ...(remarks.length === 0 ? [] : [`What you have said before:\n${remarks.join("\n")}`]),
    `Changed files:\n${files.map(listed).join("\n")}`,
  ];
  let room = CONTEXT_CHARS - usedChars - parts.join("\n\n").length;
  for (const { path, patch } of files) {
    if (patch === null) continue;
    const text = verbatim(patch.slice(0, PATCH_CHARS));
    const part = `--- ${path}\n${quoted(text)}${patch.length > PATCH_CHARS ? "\n> [… cut: see the checkout …]" : ""}`;
    if (part.length + 2 > room) break;
    room -= part.length + 2;
    parts.push(part);
  }
  return parts.join("\n\n").slice(0, Math.max(0, CONTEXT_CHARS - usedChars));
}

function listed({ path, status, additions, deletions }: ChangedFile): string {
  return `- ${path} (${status}, +${additions} -${deletions})`;
}
