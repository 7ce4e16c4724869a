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
  const { path, message } = issue === undefined ? NO_ISSUE : deepest(issue);
  return invalidRequest(path.map(String).join("."), message);
}

const NO_ISSUE = { path: [], message: "does not fit" };

/** Where something may have one of several forms, what is wrong with the one that it comes nearest to. */
function deepest(issue: z.core.$ZodIssue): { path: PropertyKey[]; message: string } {
  const { path, message } = issue;
  if (issue.code !== "invalid_union") return { path, message };
  const forms = issue.errors
    .flatMap(([first]) => (first === undefined ? [] : [deepest(first)]))
    .toSorted((one, other) => other.path.length - one.path.length);
  const [nearest] = forms;
  if (nearest === undefined || nearest.path.length === 0) return { path, message };
  return { path: [...path, ...nearest.path], message: nearest.message };
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
