import { describe, expect, test } from "vitest";
import { lost, pullRequest } from "./forge-contract.ts";
import type { ForgeScene } from "./forge-contract.ts";

/** What a forge promises of checks with many annotations, where the bot may make checks at all. */
export function checksContract(label: string, open: () => Promise<ForgeScene>): void {
  describe(`checks of forge ${label}`, () => {
    test("shows every annotation of a check once, whatever is lost, and makes one anew that is gone", async () => {
      await using scene = await open();
      const { at, github, repository } = scene;
      await pullRequest(scene);
      const sha = await repository.sha("topic");
      const annotations = Array.from({ length: 120 }, (_, n) => ({
        path: "a.txt",
        startLine: 1,
        endLine: 1,
        level: "notice" as const,
        message: `no. ${n}`,
      }));
      const draft = { name: "claude-hub", sha, title: "Through", summary: "…" };
      const ended = { ...draft, status: "completed", conclusion: "neutral", annotations } as const;
      const runs = () => repository.state.suites.flatMap((suite) => suite.runs);
      const one = "/repos/{owner}/{repo}/check-runs/{check_run_id}";
      github.fault({ method: "POST", path: "/repos/{owner}/{repo}/check-runs", ...lost });
      await expect(at.check("c2", ended)).rejects.toMatchObject({ retryable: true });
      github.fault({ method: "PATCH", path: one, ...lost });
      await expect(at.check("c2", ended)).rejects.toMatchObject({ retryable: true });
      expect(runs().map((run) => run.annotations.length)).toEqual([100]);
      await at.check("c2", ended);
      await at.check("c2", ended);
      const messages = annotations.map(({ message }) => message);
      expect(runs().map((run) => run.annotations.map((each) => each["message"]))).toEqual([
        messages,
      ]);

      for (const suite of repository.state.suites) suite.runs.splice(0);
      await at.check("c2", ended);
      await at.check("c2", ended);
      expect(runs().map((run) => run.annotations.map((each) => each["message"]))).toEqual([
        messages,
      ]);
    });
  });
}
