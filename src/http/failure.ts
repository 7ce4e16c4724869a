import { randomUUID } from "node:crypto";
import type { Logger } from "pino";
import type { z } from "zod";
import { HubError, invalidRequest } from "../core/errors.ts";
import { asHubError } from "../store/failure.ts";

/** What a caller is told of a failure. */
export interface Failure {
  status: HubError["status"];
  code: HubError["code"];
  message: string;
  retryAfterSeconds: number | undefined;
}

/** Makes any error safe for a caller; what is not the caller's business is logged, with a reference to find it by. */
export function failureOf(error: unknown, log: Logger): Failure {
  const known = isTooDeep(error)
    ? invalidRequest("", "The body is nested too deeply")
    : asHubError(error);
  if (known instanceof HubError) {
    if (known.status >= 500 || known.hint !== undefined)
      log.warn({ err: known, hint: known.hint }, "request was refused");
    return {
      status: known.status,
      code: known.code,
      message: known.message,
      retryAfterSeconds: known.retryAfterSeconds,
    };
  }
  const reference = randomUUID();
  log.error({ err: error, reference }, "request failed");
  return {
    status: 500,
    code: "internal",
    message: `Internal server error (reference ${reference})`,
    retryAfterSeconds: undefined,
  };
}

/** What JSON.parse takes may still be deeper than what walks through it can go. */
function isTooDeep(error: unknown): boolean {
  return error instanceof RangeError && error.message.includes("call stack");
}

/** The first thing that is wrong with a body, with the field that it is in. */
export function misfit(error: z.ZodError): HubError {
  const [issue] = error.issues;
  const path = (issue?.path ?? []).map(String).join(".");
  return invalidRequest(path, issue?.message ?? "does not fit");
}
