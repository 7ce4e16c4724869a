import type { GitForge } from "../test/kit/forge/git-forge.ts";
import type { DemoSession } from "./session.ts";

export interface Verdict {
  /** Branches that the forge really has, with their commits. */
  branches: { name: string; commits: string[] }[];
  /** What is not as it should be; empty when the demo has done its job. */
  problems: string[];
}

const EXPECTED = {
  implement: ["src/farewell.js"],
  test: ["src/farewell.js", "test/farewell.test.js"],
} as const;

/** Asks the forge, not the hub: what counts is what the branches hold. */
export async function verify(options: {
  forge: GitForge;
  repository: string;
  sessions: DemoSession[];
}): Promise<Verdict> {
  const { forge, repository } = options;
  const refs = await forge.refs(repository);
  const branches: Verdict["branches"] = [];
  const problems: string[] = [];
  for (const { name, status, error, workBranch } of options.sessions) {
    if (status !== "completed") problems.push(`${name} ended as ${status}: ${error ?? ""}`);
    if (workBranch === null || refs[`refs/heads/${workBranch}`] === undefined) {
      problems.push(`${name} has pushed no branch`);
      continue;
    }
    const log = await forge.git(repository, "log", "--format=%h %s", `main..${workBranch}`);
    branches.push({ name: workBranch, commits: log.split("\n").filter((line) => line !== "") });
    const listed = await forge.git(repository, "ls-tree", "-r", "--name-only", workBranch);
    const files = listed.split("\n");
    const expected = name === "test" ? EXPECTED.test : EXPECTED.implement;
    for (const path of expected)
      if (!files.includes(path)) problems.push(`${workBranch} does not hold ${path}`);
  }
  return { branches, problems };
}
