import type { Id } from "../../core/id.ts";
import { visible } from "../text/sanitise.ts";
import { fenced, neutralise } from "./neutralise.ts";
import type { OpenQuestion } from "./progress.ts";

/** So many stand in a comment; the others come when these are answered. */
const SHOWN = 5;
const SUBJECT_CHARS = 300;
/** As much as is kept of it: who allows a command has to see its end. */
const DETAIL_CHARS = 4_000;
const CODE_CHARS = 8;

/** By which people name a question: the end of its id, as its beginning is the time. */
export function codeOf(id: Id): string {
  return id.slice(-CODE_CHARS);
}

/** What waits for a person's yes or no, how to answer, and until when; empty: nothing does. */
export function questionsText(
  questions: readonly (OpenQuestion & { title?: string })[],
  { botLogin, now }: { botLogin: string; now: Date },
): string {
  const open = questions.filter(({ dueAt }) => Date.parse(dueAt) > now.getTime());
  const shown = open.slice(0, SHOWN).map((one) => questionText(one, botLogin));
  const more = open.length - shown.length;
  if (more > 0) shown.push(`${more} more wait behind ${more === 1 ? "it" : "these"}.`);
  return shown.join("\n\n");
}

function questionText(
  { id, kind, subject, detail, dueAt, title }: OpenQuestion & { title?: string },
  botLogin: string,
): string {
  const what = codeSpan(subject, SUBJECT_CHARS);
  const whose = title === undefined ? "" : ` (${oneLine(title, SUBJECT_CHARS)})`;
  const asks = kind === "host" ? `reach the host ${what}` : `use the tool ${what}`;
  const code = codeOf(id);
  const cut = detail.length < DETAIL_CHARS ? [] : ["What follows is not shown."];
  return [
    `**A question**${whose}: may it ${asks}?`,
    ...(detail === "" ? [] : [fenced(visible(detail).slice(0, DETAIL_CHARS).toWellFormed())]),
    ...cut,
    `Say \`@${botLogin} approve ${code}\` or \`@${botLogin} deny ${code}\`, with a word on why if you like. Without an answer by ${minute(dueAt)} it is no.`,
  ].join("\n\n");
}

/** Text of others in one line. */
export function oneLine(text: string, maxChars: number): string {
  return neutralise(text.replaceAll(/\s+/g, " ").trim(), maxChars);
}

/** Text of others as it is, which nothing in it can end. */
export function codeSpan(text: string, maxChars: number): string {
  const shown = visible(text).replaceAll(/\s+/g, " ").trim().slice(0, maxChars).toWellFormed();
  if (shown === "") return "";
  const longest = Math.max(0, ...[...shown.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = "`".repeat(longest + 1);
  return `${fence} ${shown} ${fence}`;
}

function minute(at: string): string {
  return `${at.slice(0, 16).replace("T", " ")} UTC`;
}
