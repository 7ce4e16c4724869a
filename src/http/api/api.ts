import { OpenAPIHono } from "@hono/zod-openapi";
import { demandScope } from "../../core/access.ts";
import { sessionsFor } from "../../sessions/seen.ts";
import type { Guard } from "../auth.ts";
import { parseJson, readBody } from "../body.ts";
import type { HttpContext, HttpDeps, HttpEnv } from "../deps.ts";
import { misfit } from "../failure.ts";
import { createDeliveryApi } from "./deliveries.ts";
import { createEventStreams, EVENT_STREAM, NDJSON } from "./events.ts";
import { createNoticeApi } from "./notices.ts";
import { createOrchestrationApi } from "./orchestrations.ts";
import { sessionResource } from "./resources.ts";
import * as routes from "./routes.ts";
import { scopeOf } from "./scopes.ts";
import { createTalkApi } from "./talk.ts";
import { createTokenApi } from "./tokens.ts";

/** Where it is mounted. */
export const BASE = "/api/v1";

/** The hub's own API, below /api/v1. */
export function createApi(deps: HttpDeps, guard: Guard) {
  const { settings } = deps;
  const streams = createEventStreams(deps);
  const app = new OpenAPIHono<HttpEnv>({
    defaultHook: (result) => {
      if (!result.success) throw misfit(result.error);
    },
  });
  app.use(async (c, next) => {
    const access = await guard.access(c);
    demandScope(access, scopeOf(c.req.method, c.req.path.slice(BASE.length)));
    c.set("access", access);
    if (c.req.method === "POST" || c.req.method === "PUT") {
      const body = await readBody(c.env.incoming, settings.apiBodyBytes);
      // Hono's own reader would make U+FFFD of what is no UTF-8, and go on.
      if (body.length > 0) c.req.bodyCache.json = Promise.resolve(parseJson(body));
    }
    await next();
  });
  /** All that is done for a caller is done with these. */
  const sessionsOf = (c: HttpContext) => sessionsFor(deps.sessions, c.get("access"));
  return app
    .openapi(routes.createSession, async (c) => {
      const session = await sessionsOf(c).create(c.req.valid("json"));
      c.header("Location", `/api/v1/sessions/${session.id}`);
      return c.json(sessionResource(session), 201);
    })
    .openapi(routes.listSessions, async (c) => {
      const page = await sessionsOf(c).list(c.req.valid("query"));
      const { nextCursor } = page;
      return c.json({ sessions: page.sessions.map(sessionResource), nextCursor }, 200);
    })
    .openapi(routes.getSession, async (c) =>
      c.json(sessionResource(await sessionsOf(c).get(c.req.valid("param").id)), 200),
    )
    .openapi(routes.startSession, async (c) => {
      const { session, waitingFor } = await sessionsOf(c).start(c.req.valid("param").id);
      return c.json({ session: sessionResource(session), waitingFor }, 200);
    })
    .openapi(routes.cancelSession, async (c) =>
      c.json(sessionResource(await sessionsOf(c).cancel(c.req.valid("param").id)), 200),
    )
    .openapi(routes.getOutput, async (c) =>
      c.json(await sessionsOf(c).output(c.req.valid("param").id), 200),
    )
    .openapi(routes.getArtifacts, async (c) =>
      c.json({ artifacts: await sessionsOf(c).artifacts(c.req.valid("param").id) }, 200),
    )
    .openapi(routes.getDiff, async (c) =>
      c.text(await sessionsOf(c).diff(c.req.valid("param").id), 200, {
        "content-type": "text/x-diff; charset=utf-8",
      }),
    )
    .openapi(routes.getEvents, async (c) => {
      const { id } = c.req.valid("param");
      await sessionsOf(c).get(id);
      const shown = c.req.header("last-event-id");
      const after =
        shown !== undefined && /^\d{1,9}$/.test(shown) ? Number(shown) : c.req.valid("query").after;
      const follows = (c.req.header("accept") ?? "").includes("text/event-stream");
      // Hono makes GET of HEAD and drops the body: a stream that nobody reads would never end.
      if (c.req.method === "HEAD")
        return c.body(null, 200, { "content-type": follows ? EVENT_STREAM : NDJSON });
      return follows ? await streams.follow(c, id, after) : streams.soFar(c, id, after);
    })
    .route("/", createOrchestrationApi(deps))
    .route("/", createTalkApi(deps))
    .route("/", createDeliveryApi(deps))
    .route("/", createTokenApi(deps))
    .route("/", createNoticeApi(deps));
}

export type Api = ReturnType<typeof createApi>;
