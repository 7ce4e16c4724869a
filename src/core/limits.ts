/** Bounds on what callers and sandboxes may send. Fixed, because the schemas and the database rely on them. */
export const LIMITS = {
  requirementsChars: 65_536,
  contextChars: 65_536,
  metadataBytes: 16_384,
  dependencies: 100,
  listPage: 100,
  /** A body of one event; what is longer is cut and marked. */
  eventBodyBytes: 65_536,
  eventsPerBatch: 500,
  batchBytes: 4 * 1024 * 1024,
  diffBytes: 5 * 1024 * 1024,
  /** An agent's record of its conversation, packed, in base64. */
  conversationChars: 12 * 1024 * 1024,
  artifacts: 1_000,
  /** What a person tells a session while it runs. */
  messageChars: 20_000,
  /** Messages of one session that wait for its agent, and all that it may be sent. */
  messagesWaiting: 50,
  messages: 1_000,
  summaryChars: 20_000,
  nextSteps: 50,
  /** The whole answer of a session that answers by a schema, as JSON. */
  answerChars: 262_144,
} as const;
