import { z } from "zod";
import { Id } from "./id.ts";

/** A JSON schema, as agents are told it. */
export const AnswerSchema = z.record(z.string(), z.json());
export type AnswerSchema = z.infer<typeof AnswerSchema>;

/**
 * `none`: no tool at all, and so no files either; the agent has its prompt and its model. `coordination`: beside the usual
 * ones, those by which it has others do the work of its orchestration.
 */
export const Toolset = z.enum(["usual", "none", "coordination"]);
export type Toolset = z.infer<typeof Toolset>;

/** A commit of a pull request, which may be of a fork: no branch of the repository has to hold it. */
export const CommitAt = z.object({
  sha: z.string().regex(/^[0-9a-f]{40}$/),
  ref: z.string().regex(/^refs\/pull\/[1-9]\d{0,9}\/head$/),
});
export type CommitAt = z.infer<typeof CommitAt>;

/** What the hub itself lays down for a session that it makes for a purpose of its own. Callers have no say in it. */
export const SessionTerms = z.object({
  /** What the final answer has to look like, which is then kept whole; null: the usual summary. */
  answerSchema: AnswerSchema.nullable().default(null),
  toolset: Toolset.default("usual"),
  /** What is checked out to be read, instead of a branch; at the forge the ref leads to it. */
  commit: CommitAt.nullable().default(null),
  /** In place of the hub's; null: that one. */
  model: z.string().nullable().default(null),
  /** Run after the agent, in its sandbox; the session has failed unless it ends with 0. Null: nothing is. */
  check: z.string().nullable().default(null),
  /** It goes another way from a moment of that session: from what was said last then, and from the commit of then. */
  fork: z
    .object({
      sessionId: Id,
      /** The agent's own name for it; null: the end. */
      messageId: Id.nullable(),
      /** Null: where its branch is. */
      sha: z
        .string()
        .regex(/^[0-9a-f]{40}$/)
        .nullable(),
    })
    .nullable()
    .default(null),
  /** Only narrow what the operator grants. */
  maxTokens: z.int().positive().nullable().default(null),
  maxCostUsd: z.number().positive().nullable().default(null),
});
export type SessionTerms = z.infer<typeof SessionTerms>;

export const USUAL_TERMS: SessionTerms = SessionTerms.parse({});
