import { createActiveStore } from "./sessions/active.ts";
import { createBeforeStore } from "./sessions/before.ts";
import { createBudgetStore } from "./spending/budgets.ts";
import { createBranchStore } from "./sessions/branches.ts";
import { createConversationStore } from "./sessions/conversations.ts";
import type { Database } from "./database.ts";
import { createEventStore } from "./log/events.ts";
import { createMessageStore } from "./talk/messages.ts";
import { createPreparedStore } from "./sessions/prepared.ts";
import { createResultStore } from "./sessions/results.ts";
import { createRetentionStore } from "./sessions/retention.ts";
import { createSessionStore } from "./sessions/sessions.ts";
import { createTokenStore } from "./sessions/tokens.ts";
import { createToolCallStore } from "./sessions/tool-calls.ts";

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
