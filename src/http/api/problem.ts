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
    /** Finds it in the log of the hub; only with `internal`. */
    reference: z.string().optional(),
  })
  .meta({ id: "Problem" });

export function apiFailure(c: HttpContext, error: unknown, deps: Pick<HttpDeps, "log">): Response {
  const { status, code, message, reference } = failureOf(c, error, deps.log);
  const title = code.replaceAll("_", " ");
  const problem = { type: "about:blank", title, status, detail: message, code, reference };
  return c.body(JSON.stringify(problem), status, { "content-type": "application/problem+json" });
}
