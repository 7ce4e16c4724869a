import type { ResultBefore } from "../../store/sessions/before.ts";

/** Of all results together; each has its share. */
const RESULTS_CHARS = 24_000;
const LEAST_CHARS = 200;
const TITLE_CHARS = 120;

/** What came of the sessions before one, as its agent is told: data, of which each part is cut to its share. */
export function resultsText(
  results: readonly ResultBefore[],
  headOf: (branch: string) => string | null,
): string {
  const share = Math.max(LEAST_CHARS, Math.floor(RESULTS_CHARS / Math.max(1, results.length)));
  return results.map((one) => cut(resultText(one, headOf), share)).join("\n\n");
}

function resultText(
  { title, requirements, status, error, summary, answer, workBranch }: ResultBefore,
  headOf: (branch: string) => string | null,
): string {
  const [line = ""] = requirements.trim().split("\n");
  const sha = workBranch === null ? null : headOf(workBranch);
  return [
    `## ${cut(title ?? line, TITLE_CHARS)}`,
    `It ${ENDS[status] ?? "has not ended"}${error === null ? "." : `: ${error}`}`,
    ...(workBranch === null || sha === null ? [] : [`Its branch: ${workBranch}, at ${sha}`]),
    ...(summary === "" ? [] : [summary]),
    ...(answer === null ? [] : [`Its answer: ${JSON.stringify(answer)}`]),
  ].join("\n");
}

const ENDS: Partial<Record<ResultBefore["status"], string>> = {
  completed: "completed",
  failed: "failed",
  cancelled: "was cancelled",
};

function cut(text: string, chars: number): string {
  return text.length <= chars ? text : `${text.slice(0, chars - 1).toWellFormed()}…`;
}
