import type { Stage, Told } from "./story.ts";

export interface Verdict {
  /** What is there now, with its address. */
  facts: string[];
  /** What the bot has written, by kind. */
  written: Record<string, number>;
  /** What is not as it was promised; empty when the story ended well. */
  problems: string[];
}

const FILES = ["src/farewell.js", "test/farewell.test.js"];

/** Asks GitHub, not the hub: what counts is what stands there. */
export async function verify(stage: Stage, told: Told): Promise<Verdict> {
  const { github, app, repository } = stage;
  const problems: string[] = [];
  const expected = (isRight: boolean, what: string) => {
    if (!isRight) problems.push(what);
  };
  await github.settled();
  const { issues, comments } = repository.state;
  const issue = issues.find(({ number }) => number === told.issue);
  const pull = issues.find(({ number }) => number === told.pull)?.pull;
  const own = comments.filter((one) => one.issue === issue && one.user === app.bot);
  expected(own.length === 1, `the bot has said ${own.length} things on the issue, not one`);
  expected(own[0]?.body.startsWith("**Done**") === true, "the bot's comment does not say Done");
  const reactions = comments.find(({ id }) => id === told.question)?.reactions ?? [];
  const signs = reactions.map(({ content }) => content).join(" ");
  expected(signs === "eyes hooray", `the question bears "${signs}"`);
  expected(issue?.state === "closed", "the issue is not closed");
  expected(pull?.mergedAt != null, "the pull request is not merged");
  expected(pull?.mergedBy?.type === "User", "nobody but a person may merge");
  const listed = (await repository.git("ls-tree", "-r", "--name-only", "main")).split("\n");
  for (const path of FILES) expected(listed.includes(path), `main does not hold ${path}`);
  const log = await repository.git("log", "--no-merges", "--format=%an: %s", "main");
  expected(log.split("\n").length === 2, `main has other commits than one more:\n${log}`);
  const body = await repository.git("log", "--no-merges", "-1", "--format=%b", "main");
  expected(/^Co-authored-by: ada /m.test(body), "the commit does not name who asked for it");
  const refused = github.requests.filter(({ status }) => status === 403 || status === 422);
  expected(refused.length === 0, `GitHub has refused ${refused.map(({ route }) => route).join()}`);
  const base = `${github.url}/${repository.name}`;
  return {
    facts: [
      `${base}/issues/${told.issue}  closed`,
      `${base}/pull/${told.pull}  merged by ${pull?.mergedBy?.login ?? "nobody"}`,
      `main: ${log.split("\n").join(" ← ")}`,
    ],
    written: writesOf(stage),
    problems,
  };
}

/** Requests that changed something, as GitHub has them in its log. */
function writesOf({ github }: Stage): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { method, route, status } of github.requests) {
    if (
      method === "GET" ||
      status === null ||
      status >= 400 ||
      route === null ||
      /access_tokens|\/token$/.test(route)
    )
      continue;
    counts[route] = (counts[route] ?? 0) + 1;
  }
  return counts;
}
