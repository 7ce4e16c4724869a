import type { Issue } from "../../forge/forge.ts";
import { cut, neutralise } from "./neutralise.ts";

export const TITLE_CHARS = 200;
const BODY_CHARS = 50_000;

/** What a pull request says of work that was asked for on an issue. */
export function pullRequestText(of: { issue: Issue; asker: string; summary: string }) {
  const { issue, asker, summary } = of;
  const [first = ""] = summary.split(/\n|(?<=\.)\s/);
  const title = neutralise(first.trim().replace(/\.$/, "") || issue.title, TITLE_CHARS);
  const body = neutralise(summary, BODY_CHARS);
  return {
    title: cut(title.replaceAll("\n", " "), TITLE_CHARS),
    body: signedBody({ body, number: issue.number, asker }),
  };
}

/** With what the hub itself says: what the pull request is for, and who wanted it. */
export function signedBody(of: { body: string; number: number; asker: string }): string {
  return [
    ...(of.body === "" ? [] : [of.body]),
    `Fixes #${of.number}`,
    `<sub>Asked for by ${neutralise(`@${of.asker}`, 60)}.</sub>`,
  ].join("\n\n");
}
