import { HubError, isNotFound } from "../../core/errors.ts";
import type { Repository } from "../../core/repository.ts";
import type { Account, ForgeRepository, ReactionTarget } from "../forge.ts";
import { createCheckWriter } from "./check-writer.ts";
import type { Client } from "./client.ts";
import type { createReads } from "./reads.ts";
import { isAllowanceSpent } from "./turns.ts";
import { PullRequestAnswer, WrittenAnswer } from "./mapping.ts";

type Writes = Pick<
  ForgeRepository,
  "react" | "say" | "edit" | "openPullRequest" | "submitReview" | "addLabels" | "check"
>;

/** What is known of earlier tries to write: `store/forge-writes`. */
export interface Written {
  begin(key: string): Promise<"never" | "begun" | { id: number; url: string }>;
  done(key: string, written: { id: number; url: string }): Promise<void>;
}

const LOOKED_AT = 300;

export function createWrites(options: {
  client: Client;
  repository: Repository;
  reads: ReturnType<typeof createReads>;
  written: Written;
  self(): Promise<{ account: Account; appId: number | null }>;
}): Writes {
  const { client, repository, reads, written, self } = options;
  const send = (method: string, route: string, parameters: Record<string, unknown>) =>
    client.inRepository(repository, `${method} /repos/{owner}/{repo}${route}`, parameters);

  /** Writes once: what an earlier try may have written is looked for by its mark, of which only the bot's own counts. */
  async function once<T extends { id: number; url: string }>(
    key: string,
    find: () => Promise<readonly { id: number; url: string; body: string; author: Account }[]>,
    write: () => Promise<T>,
  ): Promise<{ id: number; url: string; isNew: boolean }> {
    const before = await written.begin(`${repository} ${key}`);
    if (typeof before === "object") return { ...before, isNew: false };
    const { account } = await self();
    const found =
      before === "never"
        ? undefined
        : (await find()).find(
            ({ author, body }) => author.id === account.id && body.endsWith(markOf(key)),
          );
    const { id, url } = found ?? (await write());
    await written.done(`${repository} ${key}`, { id, url });
    return { id, url, isNew: found === undefined };
  }

  return {
    check: createCheckWriter({ send, repository, written, self }),
    async react(target, content) {
      try {
        await send("POST", `${placeOf(target)}/reactions`, { content });
      } catch (error) {
        // Words tell the same, and need the allowance more.
        if (!isAllowanceSpent(error)) throw error;
      }
    },
    say: (key, { number, inReplyTo }, body) =>
      once(
        key,
        () =>
          inReplyTo === undefined
            ? reads.comments(number, LOOKED_AT)
            : reads.lineComments(number, LOOKED_AT),
        async () => {
          const marked = { number, body: `${body}\n\n${markOf(key)}` };
          return WrittenAnswer.parse(
            inReplyTo === undefined
              ? await send("POST", "/issues/{number}/comments", marked)
              : await send("POST", "/pulls/{number}/comments/{id}/replies", {
                  ...marked,
                  id: inReplyTo,
                }),
          );
        },
      ),
    async edit({ id, kind, key }, body) {
      try {
        const place = kind === "thread" ? "/issues/comments/{id}" : "/pulls/comments/{id}";
        await send("PATCH", place, { id, body: `${body}\n\n${markOf(key)}` });
        return true;
      } catch (error) {
        if (isNotFound(error)) return false;
        throw error;
      }
    },
    async openPullRequest({ head, base, title, body, isDraft }) {
      const draft = { head, base, title, body };
      const open = async (asDraft: boolean) =>
        PullRequestAnswer.parse(await send("POST", "/pulls", { ...draft, draft: asDraft }));
      try {
        return await open(isDraft);
      } catch (error) {
        if (!(error instanceof HubError) || error.code !== "invalid_request") throw error;
        const known = await reads.pullRequestOf(head);
        if (known !== null) return known;
        if (!isDraft || !hasNoDrafts(error)) throw error;
        return await open(false);
      }
    },
    submitReview: (key, { number, sha, body, verdict, comments }) =>
      once(
        key,
        () => reads.reviews(number),
        async () =>
          WrittenAnswer.parse(
            await send("POST", "/pulls/{number}/reviews", {
              number,
              commit_id: sha,
              body: `${body}\n\n${markOf(key)}`,
              event: verdict.toUpperCase(),
              comments: comments.map(({ startLine, ...one }) => ({
                ...one,
                ...(startLine === undefined || startLine === one.line
                  ? {}
                  : { start_line: startLine, start_side: one.side }),
              })),
            }),
          ),
      ),
    async addLabels(number, labels) {
      if (labels.length > 0) await send("POST", "/issues/{number}/labels", { number, labels });
    },
  };
}

/** Private repositories of some plans have none; GitHub says so in words alone. */
function hasNoDrafts({ cause }: HubError): boolean {
  return cause instanceof Error && /draft pull requests are not supported/i.test(cause.message);
}

/** Seen by nobody; found again by us. */
function markOf(key: string): string {
  return `<!-- claude-hub ${key.replaceAll(/[^\w:./#-]/g, "_")} -->`;
}

function placeOf(target: ReactionTarget): string {
  switch (target.kind) {
    case "thread":
      return `/issues/${target.number}`;
    case "comment":
      return `/issues/comments/${target.id}`;
    case "lineComment":
      return `/pulls/comments/${target.id}`;
    default:
      return target satisfies never;
  }
}
