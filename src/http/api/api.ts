import { OpenAPIHono } from "@hono/zod-openapi";
import type { Guard } from "../auth.ts";
import { parseJson, readBody } from "../body.ts";
import type { HttpDeps, HttpEnv } from "../deps.ts";
import { misfit } from "../failure.ts";
import { createDeliveryApi } from "./deliveries.ts";
import { createEventStreams, EVENT_STREAM, NDJSON } from "./events.ts";
import { sessionResource } from "./resources.ts";
import * as routes from "./routes.ts";

/** The hub's own API, below /api/v1. */
export function createApi(deps: HttpDeps, guard: Guard) {
  const { sessions, orchestrations, settings } = deps;
  const streams = createEventStreams(deps);
  const app = new OpenAPIHono<HttpEnv>({
    defaultHook: (result) => {
      if (!result.success) throw misfit(result.error);
    },
  });
  app.use(async (c, next) => {
    await guard.bearer(c);
    if (c.req.method === "POST") {
      const body = await readBody(c.env.incoming, settings.apiBodyBytes);
      // Hono's own reader would make U+FFFD of what is no UTF-8, and go on.
      if (body.length > 0) c.req.bodyCache.json = Promise.resolve(parseJson(body));
    }
    await next();
  });
  return app
    .openapi(routes.createSession, async (c) => {
      const session = await sessions.create(c.req.valid("json"));
      c.header("Location", `/api/v1/sessions/${session.id}`);
      return c.json(sessionResource(session), 201);
    })
    .openapi(routes.listSessions, async (c) => {
      const page = await sessions.list(c.req.valid("query"));
      const { nextCursor } = page;
      return c.json({ sessions: page.sessions.map(sessionResource), nextCursor }, 200);
    })
    .openapi(routes.getSession, async (c) =>
      c.json(sessionResource(await sessions.get(c.req.valid("param").id)), 200),
    )
    .openapi(routes.startSession, async (c) => {
      const { session, waitingFor } = await sessions.start(c.req.valid("param").id);
      return c.json({ session: sessionResource(session), waitingFor }, 200);
    })
    .openapi(routes.cancelSession, async (c) =>
      c.json(sessionResource(await sessions.cancel(c.req.valid("param").id)), 200),
    )
    .openapi(routes.getOutput, async (c) =>
      c.json(await sessions.output(c.req.valid("param").id), 200),
    )
    .openapi(routes.getArtifacts, async (c) =>
      c.json({ artifacts: await sessions.artifacts(c.req.valid("param").id) }, 200),
    )
    .openapi(routes.getDiff, async (c) =>
      c.text(await sessions.diff(c.req.valid("param").id), 200, {
        "content-type": "text/x-diff; charset=utf-8",
      }),
    )
    .openapi(routes.getEvents, async (c) => {
      const { id } = c.req.valid("param");
      await sessions.get(id);
      const shown = c.req.header("last-event-id");
      const after =
        shown !== undefined && /^\d{1,9}$/.test(shown) ? Number(shown) : c.req.valid("query").after;
      const follows = (c.req.header("accept") ?? "").includes("text/event-stream");
      // Hono makes GET of HEAD and drops the body: a stream that nobody reads would never end.
      if (c.req.method === "HEAD")
        return c.body(null, 200, { "content-type": follows ? EVENT_STREAM : NDJSON });
      return follows ? await streams.follow(c, id, after) : streams.soFar(c, id, after);
    })
    .openapi(routes.createOrchestration, async (c) => {
      const made = await orchestrations.create(c.req.valid("json"));
      return c.json({ ...made, sessions: made.sessions.map(sessionResource) }, 201);
    })
    .route("/", createDeliveryApi(deps));
}

export type Api = ReturnType<typeof createApi>;
