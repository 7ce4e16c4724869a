import type { Artifact, SessionOutput } from "../core/artifact.ts";
import type { Id } from "../core/id.ts";
import type { Branch, Repository } from "../core/repository.ts";
import type { NewSession, Session, SessionStatus } from "../core/session.ts";
import type { SessionTerms } from "../core/session-terms.ts";
import type { Tx } from "../store/database.ts";

export interface SessionQuery {
  status?: SessionStatus | undefined;
  repository?: string | undefined;
  /** Of these alone. */
  repositories?: readonly string[] | undefined;
  orchestrationId?: Id | undefined;
  /** How the id begins, in lower case and without hyphens. */
  idPrefix?: string | undefined;
  /** Sessions that depend on this one directly. */
  dependsOn?: Id | undefined;
  /** Sessions older than this one: `nextCursor` of the page before. */
  cursor?: Id | undefined;
  /** 1 to LIMITS.listPage. */
  limit?: number | undefined;
}

export interface SessionPage {
  /** Newest first. */
  sessions: Session[];
  /** Null on the last page. */
  nextCursor: Id | null;
}

export interface Started {
  session: Session;
  /** Unfinished dependencies; empty while it waits for nothing but a slot. */
  waitingFor: Id[];
}

export interface CreateOptions {
  orchestrationId?: Id | null;
  /** Chosen by the caller, who may ask again after a crash: then nothing is made twice. */
  id?: Id;
  /**
   * A branch of the repository that the session works on and pushes, in place of one of its own. The caller has made
   * sure that whoever asks for it may push there.
   */
  onto?: Branch | null;
  /** It goes on with what another one began, and its budget is that one's: nobody has asked for it. */
  carriesOn?: boolean;
  /** What is not said is as usual. */
  terms?: Partial<SessionTerms>;
  /** What belongs to it, in the same transaction. */
  within?: {
    /** Before anything is locked; what it throws, nothing is made of. */
    before(tx: Tx): Promise<void>;
    after(tx: Tx, id: Id): Promise<void>;
  };
}

/** What callers may do with sessions. Every function throws `not_found` for an id that nobody knows. */
export interface Sessions {
  /** Durable before it resolves. Throws `invalid_request` when a dependency is unknown. */
  create(input: NewSession, more?: CreateOptions): Promise<Session>;
  /**
   * Asks for a slot. Again while it is pending: the same answer, nothing changes. Throws `conflict` when it was
   * started already.
   */
  start(id: Id): Promise<Started>;
  get(id: Id): Promise<Session>;
  /** How many wait for a slot before it, of those that it has to wait for; null: it does not wait for one. */
  ahead(id: Id): Promise<number | null>;
  /** The last of those that go on with its conversation, one after the other; itself when none does. Null: unknown. */
  latest(id: Id): Promise<Id | null>;
  /** Who wrote a branch last, or is at it; null: no session did. */
  writerOf(repository: Repository, branch: Branch): Promise<Id | null>;
  list(query: SessionQuery): Promise<SessionPage>;
  /** Throws `conflict` when it has ended. A running session answers as it is; it ends as `cancelled` soon after. */
  cancel(id: Id): Promise<Session>;
  /** What really happened so far. */
  output(id: Id): Promise<SessionOutput>;
  artifacts(id: Id): Promise<Artifact[]>;
  /** Unified diff of the whole work; empty until the work has ended. */
  diff(id: Id): Promise<string>;
  /** What a session answered whose terms gave a schema for it; null: it has not. Nobody has held it against the schema. */
  answer(id: Id): Promise<unknown>;
}
