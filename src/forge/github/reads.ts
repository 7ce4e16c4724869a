import { z } from "zod";
import { ifFound, isNotFound } from "../../core/errors.ts";
import { PERMISSIONS } from "../../core/permission.ts";
import type { Repository } from "../../core/repository.ts";
import type { Account, ForgeRepository, LabelChange } from "../forge.ts";
import { checksAt } from "./checks.ts";
import type { Client } from "./client.ts";
import {
  AccountAnswer,
  CommentAnswer,
  ContentsAnswer,
  FactsAnswer,
  FileAnswer,
  IssueAnswer,
  LabelAnswer,
  LineCommentAnswer,
  PullRequestAnswer,
  ReviewAnswer,
} from "./mapping.ts";

type Reads = Omit<
  ForgeRepository,
  "react" | "say" | "edit" | "openPullRequest" | "submitReview" | "addLabels" | "check"
>;

/** Pages of a hundred. */
const PAGES = { comments: 10, reviews: 5, files: 30, labels: 5, events: 10 };

export function createReads(client: Client, repository: Repository): Reads {
  const get = (route: string, parameters: Record<string, unknown> = {}) =>
    client.inRepository(repository, `GET /repos/{owner}/{repo}${route}`, parameters);
  const list = async <T>(
    schema: z.ZodType<T>,
    route: string,
    parameters: Record<string, unknown>,
    more: { maxPages: number; newest?: boolean; key?: string },
  ) => {
    const found = await client.list(
      repository,
      `GET /repos/{owner}/{repo}${route}`,
      parameters,
      more,
    );
    return found.map((one) => schema.parse(one));
  };
  const pulls = (parameters: Record<string, unknown>) =>
    list(PullRequestAnswer, "/pulls", parameters, { maxPages: 1 });

  async function labelChanges(number: number): Promise<LabelChange[]> {
    const events = await list(
      IssueEvent,
      "/issues/{number}/events",
      { number },
      { maxPages: PAGES.events, newest: true },
    );
    return events.flatMap(({ event, label, actor, created_at: at }) => {
      if (label === undefined || (event !== "labeled" && event !== "unlabeled")) return [];
      const kind = event === "labeled" ? "added" : "removed";
      return [{ kind, label: label.name, actor, at }];
    });
  }

  return {
    facts: async () => FactsAnswer.parse(await get("")),
    async permissionOf(login) {
      try {
        const answer = await get("/collaborators/{username}/permission", { username: login });
        const { permission, role_name: role } = Permitted.parse(answer);
        return role ?? permission;
      } catch (error) {
        if (isNotFound(error)) return "none";
        throw error;
      }
    },
    issue: async (number) => IssueAnswer.parse(await get("/issues/{number}", { number })),
    pullRequest: async (number) =>
      PullRequestAnswer.parse(await get("/pulls/{number}", { number })),
    pullRequestsAt: async (sha) =>
      (await list(PullRequestAnswer, "/commits/{sha}/pulls", { sha }, { maxPages: 1 })).filter(
        ({ state, head }) => state === "open" && head.sha === sha,
      ),
    async pullRequestOf(branch) {
      const [owner] = repository.split("/");
      const [found] = await pulls({ state: "open", head: `${owner}:${branch}` });
      return found ?? null;
    },
    comment: async (id) => CommentAnswer.parse(await get("/issues/comments/{id}", { id })),
    lineComment: async (id) => LineCommentAnswer.parse(await get("/pulls/comments/{id}", { id })),
    review: async (number, id) =>
      ReviewAnswer.parse(await get("/pulls/{number}/reviews/{id}", { number, id })),
    async reviewComments(number, id) {
      // GitHub's list of one review's comments does not say which lines they are on.
      const all = await list(
        OfReview,
        "/pulls/{number}/comments",
        { number },
        { maxPages: PAGES.comments, newest: true },
      );
      return all
        .filter((one) => one.pull_request_review_id === id)
        .map((one) => LineCommentAnswer.parse(one));
    },
    comments: async (number, limit) =>
      (
        await list(
          CommentAnswer,
          "/issues/{number}/comments",
          { number },
          { maxPages: PAGES.comments, newest: true },
        )
      ).slice(-limit),
    lineComments: async (number, limit) =>
      (
        await list(
          LineCommentAnswer,
          "/pulls/{number}/comments",
          { number },
          { maxPages: PAGES.comments, newest: true },
        )
      ).slice(-limit),
    reviews: (number) =>
      list(
        ReviewAnswer,
        "/pulls/{number}/reviews",
        { number },
        { maxPages: PAGES.reviews, newest: true },
      ),
    files: (number) =>
      list(FileAnswer, "/pulls/{number}/files", { number }, { maxPages: PAGES.files }),
    checks: (sha) => checksAt(list, sha),
    labels: () => list(LabelAnswer, "/labels", {}, { maxPages: PAGES.labels }),
    labelChanges,
    async labelers(number) {
      const found = new Map<string, Account>();
      for (const { kind, label, actor } of await labelChanges(number)) {
        if (kind === "removed") found.delete(label);
        else found.set(label, actor);
      }
      return found;
    },
    file: (path, ref, maxBytes) => fileOf(get, path, ref, maxBytes),
    jobLog: (id, maxBytes) =>
      client.textEnd(
        repository,
        "GET /repos/{owner}/{repo}/actions/jobs/{id}/logs",
        { id },
        maxBytes,
      ),
  };
}

const OfReview = z.looseObject({ pull_request_review_id: z.int().nullish() });
async function fileOf(
  get: (route: string, parameters: Record<string, unknown>) => Promise<unknown>,
  path: string,
  ref: string | null,
  maxBytes: number,
): Promise<{ text: string | null } | null> {
  const at = ref === null ? {} : { ref };
  const found = await ifFound(get("/contents/{path}", { path, ...at }));
  const answer = found === null ? null : ContentsAnswer.parse(found);
  if (answer === null) return null;
  return { text: answer.size > maxBytes ? null : answer.text };
}

const Permitted = z.object({
  permission: z.enum(PERMISSIONS).catch("none"),
  /** Finer than the other, unless the organisation has made up its own. */
  role_name: z.enum(PERMISSIONS).optional().catch(undefined),
});
const IssueEvent = z.object({
  event: z.string(),
  label: z.object({ name: z.string() }).optional(),
  actor: AccountAnswer,
  created_at: z.string(),
});
