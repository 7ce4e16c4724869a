import type { Logger } from "pino";
import type { Clock } from "../core/clock.ts";
import type { Id } from "../core/id.ts";
import type { Branch, Repository } from "../core/repository.ts";
import type { SharedBudgets } from "../sessions/budgets/budgets.ts";
import type { SessionGraphs } from "../sessions/graph.ts";
import type { Sessions } from "../sessions/sessions.ts";
import type { BranchStore } from "../store/sessions/branches.ts";
import type { Database } from "../store/database.ts";
import type { OrchestrationStore } from "../store/orchestrations/orchestrations.ts";

/** The work of an orchestration, to be opened as one pull request. */
export interface FinishedWork {
  orchestrationId: Id;
  repository: Repository;
  branch: Branch;
  /** Null: the default branch. */
  base: Branch | null;
  title: string;
  body: string;
}

/** What the functions of this room are made from. */
export interface OrchestrationDeps {
  database: Database;
  store: OrchestrationStore;
  branches: Pick<BranchStore, "ofSessions">;
  sessions: Pick<Sessions, "get" | "answer" | "output">;
  graphs: SessionGraphs;
  budgets: Pick<SharedBudgets, "view">;
  /**
   * Opens the pull request, or finds the one that is open; answers its address, or null when there is nothing to open one
   * for. Null: the hub has no account on the forge.
   */
  publish: ((work: FinishedWork) => Promise<string | null>) | null;
  settings: {
    maxTasks: number;
    /** Sessions that one that coordinates may make. */
    maxChildren: number;
  };
  clock: Clock;
  log: Logger;
}
