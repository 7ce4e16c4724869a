/**
 * The closed list of what can go wrong in a way that a caller may learn about. `message` is safe for callers; `hint`
 * is for the operator's log. Whatever is not a HubError becomes `internal` with a reference id where it is handled.
 */
const ERRORS = {
  invalid_request: { status: 400, retryable: false },
  unauthorized: { status: 401, retryable: false },
  host_not_allowed: { status: 403, retryable: false },
  forbidden: { status: 403, retryable: false },
  not_found: { status: 404, retryable: false },
  conflict: { status: 409, retryable: false },
  payload_too_large: { status: 413, retryable: false },
  rate_limited: { status: 429, retryable: true },
  budget_exceeded: { status: 429, retryable: false },
  internal: { status: 500, retryable: false },
  upstream_failed: { status: 502, retryable: true },
  unavailable: { status: 503, retryable: true },
} as const;

export type ErrorCode = keyof typeof ERRORS;
export type ErrorStatus = (typeof ERRORS)[ErrorCode]["status"];

export class HubError extends Error {
  readonly code: ErrorCode;
  readonly status: ErrorStatus;
  readonly retryable: boolean;
  /** Seconds after which to try again; goes into `Retry-After`. */
  readonly retryAfterSeconds: number | undefined;
  readonly hint: string | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    more: { hint?: string; retryAfterSeconds?: number; cause?: unknown } = {},
  ) {
    super(message, more.cause === undefined ? {} : { cause: more.cause });
    this.name = "HubError";
    this.code = code;
    this.status = ERRORS[code].status;
    this.retryable = ERRORS[code].retryable;
    this.hint = more.hint;
    this.retryAfterSeconds = more.retryAfterSeconds;
  }
}

export function invalidRequest(field: string, reason: string): HubError {
  return new HubError("invalid_request", field === "" ? reason : `${field}: ${reason}`);
}

export function unauthorized(): HubError {
  return new HubError("unauthorized", "Unauthorized");
}

export function hostNotAllowed(host: string): HubError {
  return new HubError("host_not_allowed", "Host not allowed", {
    hint: `add ${JSON.stringify(host.slice(0, 200))} to ALLOWED_HOSTS if the hub is meant to answer under that name`,
  });
}

/** @param cause For the operator's log. */
export function forbidden(reason: string, cause?: unknown): HubError {
  return new HubError("forbidden", reason, { cause });
}

export function notFound(
  what:
    | "Session"
    | "Conversation"
    | "Orchestration"
    | "Webhook provider"
    | "Page"
    | "Repository"
    | "Commit"
    | "Delivery"
    | "Approval"
    | "Token"
    | "Notice",
): HubError {
  return new HubError("not_found", `${what} not found`);
}

export function alreadyStarted(status: string): HubError {
  return new HubError("conflict", `Session was already started (status: ${status})`);
}

export function conflict(reason: string): HubError {
  return new HubError("conflict", reason);
}

export function payloadTooLarge(limitBytes: number): HubError {
  return new HubError("payload_too_large", `Body is larger than ${limitBytes} bytes`);
}

export function rateLimited(
  what:
    | "webhook requests"
    | "failed sign-ins"
    | "open event streams"
    | "open calls by MCP"
    | "messages",
  retryAfterSeconds: number,
): HubError {
  return new HubError("rate_limited", `Too many ${what}`, { retryAfterSeconds });
}

/** @param whose In one word, as a sentence begins. */
export function budgetExceeded(
  what: "tokens" | "dollars" | "minutes",
  limit: number,
  whose: "Session" | "Orchestration" | "Repository's day" = "Session",
): HubError {
  return new HubError("budget_exceeded", `${whose} budget of ${limit} ${what} is used up`);
}

export function upstreamFailed(what: "model" | "forge", cause: unknown): HubError {
  return new HubError("upstream_failed", `The ${what} could not be reached`, { cause });
}

export function unavailable(what: "database" | "shutting down", cause?: unknown): HubError {
  return new HubError(
    "unavailable",
    what === "database" ? "The database cannot be reached" : "The hub is stopping",
    {
      retryAfterSeconds: 2,
      cause,
    },
  );
}

/** What is asked for; null: there is no such thing, or it is gone. */
export async function ifFound<Found>(asked: Promise<Found>): Promise<Found | null> {
  try {
    return await asked;
  } catch (error) {
    if (isNotFound(error)) return null;
    throw error;
  }
}

export function isNotFound(error: unknown): boolean {
  return error instanceof HubError && error.code === "not_found";
}
