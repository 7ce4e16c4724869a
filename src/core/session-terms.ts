import { z } from "zod";

/** A JSON schema, as agents are told it. */
export const AnswerSchema = z.record(z.string(), z.json());
export type AnswerSchema = z.infer<typeof AnswerSchema>;

/** `none`: no tool at all, and so no files either; the agent has its prompt and its model. */
export const Toolset = z.enum(["usual", "none"]);
export type Toolset = z.infer<typeof Toolset>;

/** What the hub itself lays down for a session that it makes for a purpose of its own. Callers have no say in it. */
export const SessionTerms = z.object({
  /** What the final answer has to look like, which is then kept whole; null: the usual summary. */
  answerSchema: AnswerSchema.nullable().default(null),
  toolset: Toolset.default("usual"),
  /** In place of the hub's; null: that one. */
  model: z.string().nullable().default(null),
  /** Only narrow what the operator grants. */
  maxTokens: z.int().positive().nullable().default(null),
  maxCostUsd: z.number().positive().nullable().default(null),
});
export type SessionTerms = z.infer<typeof SessionTerms>;

export const USUAL_TERMS: SessionTerms = SessionTerms.parse({});
