import { z } from "zod";
import { Id } from "./id.ts";

/** Of an agent's own permission rules: a tool, perhaps with what it is called with (`Bash(git push:*)`). */
export const ToolRule = z
  .string()
  .regex(
    /^[A-Za-z]\w{0,100}(\([^()\n,]{1,300}\))?$/,
    "must be a tool, such as WebFetch or Bash(git push:*)",
  );

export const Decision = z.enum(["allow", "deny"]);
export type Decision = z.infer<typeof Decision>;

/** A question that a session has for people, and their answer. */
export const Approval = z.object({
  id: Id,
  /** Counts from 1 in its session. */
  number: z.int().positive(),
  kind: z.enum(["tool", "host"]),
  /** The tool's name; or the host with its port. */
  subject: z.string(),
  /** What the tool would be called with, as JSON. Written by the agent. */
  detail: z.string(),
  askedAt: z.iso.datetime(),
  /** Without an answer by then it is no. */
  dueAt: z.iso.datetime(),
  decision: Decision.nullable(),
  answeredBy: z.string().nullable(),
  note: z.string().nullable(),
  answeredAt: z.iso.datetime().nullable(),
});
export type Approval = z.infer<typeof Approval>;

/** A question that waits for an answer, and whose it is. */
export const OpenApproval = Approval.extend({ sessionId: Id, repository: z.string() });
export type OpenApproval = z.infer<typeof OpenApproval>;

/** What is to be asked. */
export interface Question {
  /** Who asks with the same one again asks the same. */
  key: string;
  kind: Approval["kind"];
  subject: string;
  detail: string;
}

/** @property decision Null: nobody has answered yet. */
export interface Verdict {
  decision: Decision | null;
  /** Follows "it": why not, in one sentence; empty when allowed. */
  reason: string;
}
