import type { Id } from "../../core/id.ts";
import type { OrchestrationTerms, OrchestrationView } from "../../core/orchestration.ts";
import type { Metadata, Project, SessionOptions } from "../../core/session.ts";

/** Orchestrations, as far as they are asked for on a forge. Every function throws `not_found` for an id that nobody knows. */
export interface Plans {
  /** Has a session make a plan, which then waits to be approved. Again with the same id: nothing is made twice. */
  propose(
    id: Id,
    request: {
      project: Project;
      metadata: Metadata;
      options: SessionOptions;
      terms: OrchestrationTerms;
    },
  ): Promise<void>;
  get(id: Id): Promise<OrchestrationView>;
  /** Throws `conflict` when that is not the plan's last version. */
  approve(id: Id, version: number): Promise<unknown>;
  /** Throws `conflict` when it has ended. */
  cancel(id: Id): Promise<unknown>;
}
