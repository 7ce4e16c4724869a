import { z } from "zod";
import { Id } from "../../core/id.ts";
import { LIMITS } from "../../core/limits.ts";
import { Repository } from "../../core/repository.ts";
import { Metadata, NewSession, SessionOptions, SessionStatus } from "../../core/session.ts";
import { NewOrchestration } from "../../orchestration/orchestrations.ts";

const beside = { metadata: Metadata.optional(), options: SessionOptions.optional() };
const withId = { sessionId: Id };

const REQUESTS = [
  z.object({ type: z.literal("session.create"), session: NewSession, ...beside }),
  z.object({ type: z.literal("session.start"), ...withId }),
  z.object({ type: z.literal("session.get"), ...withId }),
  z.object({ type: z.literal("session.output"), ...withId }),
  z.object({
    type: z.literal("session.list"),
    orchestrationId: Id.optional(),
    status: SessionStatus.optional(),
    repository: Repository.optional(),
    limit: z.int().min(1).max(LIMITS.listPage).optional(),
    cursor: Id.optional(),
  }),
  NewOrchestration.extend({ type: z.literal("orchestrate") }),
] as const;
const TYPES = REQUESTS.map(({ shape }) => shape.type.value).join(", ");

/** The six requests of the contract. Metadata and options may stand inside of the session or beside it. */
export const ClaudeRequest = z.discriminatedUnion("type", REQUESTS, {
  error: (issue) => (issue.code === "invalid_union" ? `must be one of ${TYPES}` : undefined),
});
export type ClaudeRequest = z.infer<typeof ClaudeRequest>;

/** Older clients put the request into `data`. */
export function unwrapped(body: unknown): unknown {
  const wrapper = z.object({
    data: z.record(z.string(), z.unknown()),
    type: z.undefined().optional(),
  });
  const parsed = wrapper.safeParse(body);
  return parsed.success ? parsed.data.data : body;
}
