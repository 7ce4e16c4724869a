import { z } from "zod";
import { Repository } from "../core/repository.ts";

const Account = z.object({ id: z.int(), login: z.string().max(200), type: z.string().max(50) });
/** On the forge's clock, which is not the hub's. */
const At = z.iso.datetime({ offset: true }).nullish().catch(null);
const Sha = z.string().regex(/^[0-9a-f]{40}$/);
const Thread = z.object({
  number: z.int().positive(),
  /** As it was at that moment; what stands there now may have been changed since. */
  title: z.string().max(1_000).optional().catch(undefined),
  body: z.string().max(300_000).nullish().catch(undefined),
  updated_at: At,
  /** Of a pull request. */
  head: z.object({ sha: Sha }).nullish().catch(null),
  /** Of an issue that is a pull request. */
  pull_request: z.object({}).nullish().catch(null),
});
const Identified = z.object({ id: z.int().positive() });

const Named = z
  .object({ login: z.string().max(200) })
  .nullish()
  .catch(null);

const Checked = z.object({
  head_sha: Sha,
  app: z.object({ id: z.int() }).nullish().catch(null),
});

/**
 * What is read of a delivery: who, where, and which thing to look at. The thing itself is asked for again, because a
 * delivery may be old, and its fields may be missing or strange.
 */
export const Payload = z.object({
  action: z.string().max(200).nullish().catch(null),
  sender: Account.nullish().catch(null),
  repository: z.object({ id: z.int(), full_name: Repository }).nullish().catch(null),
  issue: Thread.nullish().catch(null),
  pull_request: Thread.nullish().catch(null),
  comment: Identified.extend({
    pull_request_review_id: z.int().nullish().catch(null),
    in_reply_to_id: z.int().nullish().catch(null),
    updated_at: At,
    /** As it was at that moment. */
    body: z.string().max(300_000).nullish().catch(null),
  })
    .nullish()
    .catch(null),
  review: Identified.extend({
    submitted_at: At,
    /** As it was at that moment. */
    body: z.string().max(300_000).nullish().catch(null),
  })
    .nullish()
    .catch(null),
  label: z
    .object({ name: z.string().max(200) })
    .nullish()
    .catch(null),
  requested_reviewer: Account.nullish().catch(null),
  assignee: Account.nullish().catch(null),
  /** Of a push. */
  ref: z.string().max(1_000).nullish().catch(null),
  before: Sha.nullish().catch(null),
  after: Sha.nullish().catch(null),
  /** Of a commit's checks. */
  sha: Sha.nullish().catch(null),
  check_suite: Checked.nullish().catch(null),
  check_run: Checked.extend({ external_id: z.string().max(200).nullish().catch(null) })
    .nullish()
    .catch(null),
  requested_action: z
    .object({ identifier: z.string().max(200) })
    .nullish()
    .catch(null),
  workflow_run: Checked.nullish().catch(null),
  /** What an edit has replaced. */
  changes: z
    .object({
      body: z.object({ from: z.string().nullish() }).nullish().catch(null),
      title: z.object({ from: z.string().nullish() }).nullish().catch(null),
      repository: z
        .object({ name: z.object({ from: z.string().max(200) }).nullish() })
        .nullish()
        .catch(null),
      owner: z
        .object({ from: z.object({ user: Named, organization: Named }) })
        .nullish()
        .catch(null),
    })
    .nullish()
    .catch(null),
  installation: z.object({ account: Named }).nullish().catch(null),
  repositories_removed: z
    .array(z.object({ id: z.int(), full_name: Repository }))
    .max(10_000)
    .nullish()
    .catch(null),
});
export type Payload = z.infer<typeof Payload>;

/** A delivery about a repository, by somebody. */
export interface ForgeEvent {
  event: string;
  action: string;
  sender: { id: number; login: string; isBot: boolean };
  repository: { id: number; name: Repository };
  /** Of the issue or pull request that it is about; null: about none, or about more than one. */
  number: number | null;
  payload: Payload;
  deliveryId: string;
  receivedAt: string;
}

/** A delivery about a thread. */
export interface ThreadEvent extends ForgeEvent {
  number: number;
}

/** When it happened, on the forge's own clock, with whose times it is compared; else when the hub heard of it. */
export function happenedAt({ payload, receivedAt }: ForgeEvent): string {
  const { comment, review, issue, pull_request: pull } = payload;
  const told = [
    comment?.updated_at,
    review?.submitted_at,
    issue?.updated_at,
    pull?.updated_at,
  ].flatMap((at) => (at == null ? [] : [Date.parse(at)]));
  return told.length === 0 ? receivedAt : new Date(Math.max(...told)).toISOString();
}

export function isAboutThread(event: ForgeEvent): event is ThreadEvent {
  return event.number !== null;
}
