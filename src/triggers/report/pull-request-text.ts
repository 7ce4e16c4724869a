import type { Issue } from "../../forge/forge.ts";
import { cut, neutralise } from "./neutralise.ts";

const TITLE_CHARS = 200;
const BODY_CHARS = 50_000;

/** What a pull request says of work that was asked for on an issue. */
export function pullRequestText(of: { issue: Issue; asker: string; summary: string }) {
  const { issue, asker, summary } = of;
  const [first = ""] = summary.split(/\n|(?<=\.)\s/);
  const title = neutralise(first.trim().replace(/\.$/, "") || issue.title, TITLE_CHARS);
  return {
    title: cut(title.replaceAll("\n", " "), TITLE_CHARS),
    body: [
      neutralise(summary, BODY_CHARS),
      `Fixes #${issue.number}`,
      `<sub>Asked for by ${neutralise(`@${asker}`, 60)}.</sub>`,
    ].join("\n\n"),
  };
}
