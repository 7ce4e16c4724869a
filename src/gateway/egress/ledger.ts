import type { Id } from "../../core/id.ts";

/** One connection's place in the ledger, until it leaves. */
export interface Place {
  /** Counts bytes; false: with them the session would have had more than it may. */
  send(bytes: number): boolean;
  receive(bytes: number): boolean;
  leave(): void;
}

/** What sessions have open to the outside, and how much has passed. */
export interface Ledger {
  /** @param cut Ends the connection. @returns A place, or whose limit is reached. */
  enter(sessionId: Id, cut: () => void): Place | "session" | "hub";
  /** Sessions that have had a connection. */
  sessions(): Id[];
  /** Cuts what the session has open. */
  cut(sessionId: Id): void;
  forget(sessionId: Id): void;
}

interface Account {
  open: Set<() => void>;
  sent: number;
  received: number;
}

export function createLedger(limits: {
  connections: number;
  sessionConnections: number;
  sendBytes: number;
  receiveBytes: number;
}): Ledger {
  const accounts = new Map<Id, Account>();
  let open = 0;

  function accountOf(sessionId: Id): Account {
    const found = accounts.get(sessionId);
    if (found !== undefined) return found;
    const account: Account = { open: new Set(), sent: 0, received: 0 };
    accounts.set(sessionId, account);
    return account;
  }

  return {
    enter(sessionId, end) {
      if (open >= limits.connections) return "hub";
      const account = accountOf(sessionId);
      if (account.open.size >= limits.sessionConnections) return "session";
      const cut = () => end();
      account.open.add(cut);
      open += 1;
      return {
        send(bytes) {
          account.sent += bytes;
          return account.sent <= limits.sendBytes;
        },
        receive(bytes) {
          account.received += bytes;
          return account.received <= limits.receiveBytes;
        },
        leave() {
          if (account.open.delete(cut)) open -= 1;
        },
      };
    },
    sessions: () => [...accounts.keys()],
    cut(sessionId) {
      for (const end of accounts.get(sessionId)?.open ?? []) end();
    },
    forget: (sessionId) => void accounts.delete(sessionId),
  };
}
