import { z } from "zod";
import type { HttpContext, HttpDeps } from "../deps.ts";
import { failureOf } from "../failure.ts";

/** RFC 9457 problem details. */
export const Problem = z
  .object({
    type: z.literal("about:blank"),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.string(),
  })
  .meta({ id: "Problem" });

export function apiFailure(c: HttpContext, error: unknown, deps: Pick<HttpDeps, "log">): Response {
  const { status, code, message, retryAfterSeconds } = failureOf(error, deps.log);
  if (retryAfterSeconds !== undefined) c.header("Retry-After", String(retryAfterSeconds));
  if (status === 401) c.header("WWW-Authenticate", "Bearer");
  const title = code.replaceAll("_", " ");
  const problem = { type: "about:blank", title, status, detail: message, code };
  return c.body(JSON.stringify(problem), status, { "content-type": "application/problem+json" });
}
