import { z } from "zod";
import type { Id } from "../core/id.ts";
import type {
  Orchestration,
  OrchestrationTerms,
  OrchestrationView,
} from "../core/orchestration.ts";
import { OrchestrationState } from "../core/orchestration.ts";
import { Plan } from "../core/plan.ts";
import { Metadata, Project, SessionOptions } from "../core/session.ts";
import type { Session, SessionStatus } from "../core/session.ts";

/** Has a session make the plan. */
const PROPOSE = "propose";

export const NewOrchestration = z.object({
  sessionType: z.literal("coordination").default("coordination"),
  /** Of a plan: runs without being approved. */
  autoStart: z.boolean().default(false),
  project: Project,
  /** None: a session coordinates. */
  plan: z.union([z.literal(PROPOSE), Plan]).optional(),
  metadata: Metadata.optional(),
  options: SessionOptions.optional(),
});
export type NewOrchestration = z.infer<typeof NewOrchestration>;

export interface Orchestrated {
  orchestrationId: Id;
  /** Of the session that it begins with; of a plan that waits for approval: `initializing`. */
  status: SessionStatus;
  sessions: Session[];
  /** One sentence for people. */
  summary: string;
  state: OrchestrationState;
  planVersion: number;
}

/** What the hub itself has to say of an orchestration that it makes. */
export interface OrchestrateOptions {
  /** Chosen by the caller, who may ask again after a crash: then nothing is made twice. */
  id?: Id;
  terms?: OrchestrationTerms;
}

export interface OrchestrationQuery {
  state?: OrchestrationState | undefined;
  /** How the id begins, in lower case and without hyphens. */
  idPrefix?: string | undefined;
  repository?: string | undefined;
  repositories?: readonly string[] | undefined;
  /** Older than this one: `nextCursor` of the page before. */
  cursor?: Id | undefined;
  /** 1 to LIMITS.listPage. */
  limit?: number | undefined;
}

export interface OrchestrationPage {
  /** Newest first. */
  orchestrations: Orchestration[];
  /** Null on the last page. */
  nextCursor: Id | null;
}

/** What callers may do with orchestrations. Every function throws `not_found` for an id that nobody knows. */
export interface Orchestrations {
  /** One request, a group of sessions. Throws `invalid_request` with the path of what is wrong with a plan. */
  create(input: NewOrchestration, more?: OrchestrateOptions): Promise<Orchestrated>;
  get(id: Id): Promise<OrchestrationView>;
  list(query: OrchestrationQuery): Promise<OrchestrationPage>;
  /** Puts another plan in the place of version `version`. Throws `conflict` when that is not the last one, or runs. */
  changePlan(id: Id, change: { plan: Plan; version: number }): Promise<OrchestrationView>;
  /** Runs the plan. Throws `conflict` when `version` is not the last one. Again while it runs: the same answer. */
  approve(id: Id, version?: number): Promise<OrchestrationView>;
  /** Cancels all of its sessions; it ends as `cancelled` once they have. Throws `conflict` when it has ended. */
  cancel(id: Id): Promise<OrchestrationView>;
}
