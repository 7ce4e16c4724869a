import type { LocalRepository } from "../../test/kit/github/repositories.ts";
import type { OrchestrationView } from "../../test/kit/hub/coordination.ts";
import type { TestHub } from "../../test/kit/hub/hub.ts";

export interface Verdict {
  /** What is there now. */
  facts: string[];
  /** What is not as it was promised; empty when it ended well. */
  problems: string[];
}

const FILES = ["src/french.js", "src/german.js", "test/languages.test.js", "README.md"];
const TITLES = ["French", "German", "Tests", "Docs"];

/** Asks git and GitHub, not only the hub. */
export async function verify(
  hub: TestHub,
  repository: LocalRepository,
  view: OrchestrationView,
): Promise<Verdict> {
  const problems: string[] = [];
  const expected = (isRight: boolean, what: string) => {
    if (!isRight) problems.push(what);
  };
  expected(view.state === "completed", `it is ${view.state}: ${view.error ?? ""}`);
  const of = (title: string) => view.sessions.find((one) => one.title === title);
  for (const title of TITLES)
    expected(of(title)?.status === "completed", `${title} is ${of(title)?.status ?? "missing"}`);
  const [french, german] = [of("French"), of("German")];
  expected(
    (french?.startedAt ?? "x") < (german?.completedAt ?? "") &&
      (german?.startedAt ?? "x") < (french?.completedAt ?? ""),
    "French and German were not done side by side",
  );
  const pulls = repository.state.issues.flatMap(({ pull, number, title }) =>
    pull === null ? [] : [{ number, title, head: pull.headRef }],
  );
  const [pull, ...more] = pulls;
  expected(pull !== undefined && more.length === 0, `there are ${pulls.length} pull requests`);
  if (pull === undefined) return { facts: [], problems };
  const changed = await repository.git("diff", "--name-only", "main", pull.head);
  for (const path of FILES)
    expected(changed.split("\n").includes(path), `the pull request does not hold ${path}`);
  const coordinator = view.sessions.find(({ role }) => role === "coordinator");
  const log = await hub.events(coordinator?.sessionId ?? "");
  const calls = log.filter(({ kind }) => kind === "model.called").length;
  return {
    facts: [
      `#${pull.number}  ${pull.title}`,
      `${pull.head}: ${changed.trim().split("\n").join(", ")}`,
      `The coordinator asked its model ${calls} times; none of them while it waited.`,
    ],
    problems,
  };
}
