import { OpenAPIHono } from "@hono/zod-openapi";
import { orchestrationsFor } from "../../orchestration/seen.ts";
import type { HttpContext, HttpDeps, HttpEnv } from "../deps.ts";
import { misfit } from "../failure.ts";
import { orchestrationSummary } from "./orchestration-resources.ts";
import * as routes from "./orchestration-routes.ts";
import { sessionResource } from "./resources.ts";

/** Orchestrations, below /api/v1/orchestrations. */
export function createOrchestrationApi(deps: Pick<HttpDeps, "orchestrations">) {
  const of = (c: HttpContext) => orchestrationsFor(deps.orchestrations, c.get("access"));
  return new OpenAPIHono<HttpEnv>({
    defaultHook: (result) => {
      if (!result.success) throw misfit(result.error);
    },
  })
    .openapi(routes.createOrchestration, async (c) => {
      const made = await of(c).create(c.req.valid("json"));
      c.header("Location", `/api/v1/orchestrations/${made.orchestrationId}`);
      return c.json({ ...made, sessions: made.sessions.map(sessionResource) }, 201);
    })
    .openapi(routes.listOrchestrations, async (c) => {
      const { orchestrations, nextCursor } = await of(c).list(c.req.valid("query"));
      return c.json({ orchestrations: orchestrations.map(orchestrationSummary), nextCursor }, 200);
    })
    .openapi(routes.getOrchestration, async (c) =>
      c.json(await of(c).get(c.req.valid("param").id), 200),
    )
    .openapi(routes.changePlan, async (c) =>
      c.json(await of(c).changePlan(c.req.valid("param").id, c.req.valid("json")), 200),
    )
    .openapi(routes.approvePlan, async (c) => {
      const { version } = c.req.valid("json");
      return c.json(await of(c).approve(c.req.valid("param").id, version), 200);
    })
    .openapi(routes.cancelOrchestration, async (c) =>
      c.json(await of(c).cancel(c.req.valid("param").id), 200),
    );
}
