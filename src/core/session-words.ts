/** Apart from their schemas, so that who only shows them loads no more. */
export const SESSION_TYPES = [
  "implementation",
  "analysis",
  "testing",
  "review",
  "coordination",
] as const;

export const SESSION_STATUSES = [
  "pending",
  "initializing",
  "running",
  "completed",
  "failed",
  "cancelled",
] as const;
