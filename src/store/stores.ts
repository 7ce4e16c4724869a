import { createActiveStore } from "./active.ts";
import { createBeforeStore } from "./before.ts";
import { createBudgetStore } from "./budgets.ts";
import { createBranchStore } from "./branches.ts";
import { createConversationStore } from "./conversations.ts";
import type { Database } from "./database.ts";
import { createEventStore } from "./events.ts";
import { createMessageStore } from "./messages.ts";
import { createPreparedStore } from "./prepared.ts";
import { createResultStore } from "./results.ts";
import { createRetentionStore } from "./retention.ts";
import { createSessionStore } from "./sessions.ts";
import { createTokenStore } from "./tokens.ts";
import { createToolCallStore } from "./tool-calls.ts";

/** All that a session's life needs of the database. */
export function createStores(database: Database) {
  return {
    sessions: createSessionStore(database),
    events: createEventStore(database),
    results: createResultStore(database),
    tokens: createTokenStore(database),
    branches: createBranchStore(database),
    before: createBeforeStore(database),
    conversations: createConversationStore(database),
    messages: createMessageStore(database),
    active: createActiveStore(database),
    budgets: createBudgetStore(database),
    prepared: createPreparedStore(database),
    retention: createRetentionStore(database),
    toolCalls: createToolCallStore(database),
  };
}
