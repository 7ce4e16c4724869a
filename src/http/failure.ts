import { randomUUID } from "node:crypto";
import { HTTPException } from "hono/http-exception";
import type { Logger } from "pino";
import type { z } from "zod";
import { HubError, invalidRequest } from "../core/errors.ts";
import { asHubError } from "../store/failure.ts";
import type { HttpContext } from "./deps.ts";

/** What a caller is told of a failure. */
export interface Failure {
  status: HubError["status"];
  code: HubError["code"];
  message: string;
  /** Finds the failure in the log; only with `internal`. */
  reference: string | undefined;
}

/**
 * Makes any error safe for a caller, and sets the headers that go with it. What is not the caller's business is
 * logged, with a reference to find it by.
 */
export function failureOf(c: HttpContext, error: unknown, log: Logger): Failure {
  const known = asHubError(callersFault(error) ?? error);
  if (!(known instanceof HubError)) {
    const reference = randomUUID();
    log.error({ err: error, reference }, "request failed");
    const message = `Internal server error (reference ${reference})`;
    return { status: 500, code: "internal", message, reference };
  }
  const { status, code, message, hint, retryAfterSeconds } = known;
  if (status >= 500) log.warn({ err: known, hint }, "request was refused");
  else if (hint !== undefined) log.warn({ code, hint }, "request was refused");
  if (retryAfterSeconds !== undefined) c.header("Retry-After", String(retryAfterSeconds));
  if (status === 401) c.header("WWW-Authenticate", "Bearer");
  return { status, code, message, reference: undefined };
}

/** The first thing that is wrong with a body, with the field that it is in. */
export function misfit(error: z.ZodError): HubError {
  const [issue] = error.issues;
  const path = (issue?.path ?? []).map(String).join(".");
  return invalidRequest(path, issue?.message ?? "does not fit");
}

/** What libraries throw about a request that is not right. */
function callersFault(error: unknown): HubError | undefined {
  // What JSON.parse takes may still be deeper than what walks through it can go.
  if (error instanceof RangeError && error.message.includes("call stack"))
    return invalidRequest("", "The body is nested too deeply");
  if (!(error instanceof HTTPException) || error.status >= 500) return undefined;
  return error.status === 415
    ? invalidRequest("Content-Type", "must be application/json")
    : invalidRequest("", error.message);
}
