import { OpenAPIHono } from "@hono/zod-openapi";
import { bodyLimit } from "hono/body-limit";
import { payloadTooLarge, unauthorized } from "../../core/errors.ts";
import { clientAddress } from "../address.ts";
import { createTokenCheck, shownToken } from "../auth.ts";
import type { HttpDeps, HttpEnv } from "../deps.ts";
import { misfit } from "../failure.ts";
import { createRate } from "../rates.ts";
import { createEventStreams } from "./events.ts";
import { sessionResource } from "./resources.ts";
import * as routes from "./routes.ts";

/** The hub's own API, below /api/v1. */
export function createApi(deps: HttpDeps) {
  const { sessions, orchestrations, settings } = deps;
  const streams = createEventStreams(deps);
  const app = new OpenAPIHono<HttpEnv>({
    defaultHook: (result) => {
      if (!result.success) throw misfit(result.error);
    },
  });
  requireToken(app, deps);
  app.use(
    bodyLimit({
      maxSize: settings.apiBodyBytes,
      onError: () => {
        throw payloadTooLarge(settings.apiBodyBytes);
      },
    }),
  );
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
      return (c.req.header("accept") ?? "").includes("text/event-stream")
        ? await streams.follow(id, after)
        : streams.soFar(id, after);
    })
    .openapi(routes.createOrchestration, async (c) => {
      const made = await orchestrations.create(c.req.valid("json"));
      return c.json({ ...made, sessions: made.sessions.map(sessionResource) }, 201);
    });
}

export type Api = ReturnType<typeof createApi>;

function requireToken(app: OpenAPIHono<HttpEnv>, deps: HttpDeps): void {
  const isRight = createTokenCheck(deps.secrets.bearer);
  const failures = createRate(deps.settings.authFailures);
  app.use(async (c, next) => {
    const token = shownToken(c.req.header("authorization"), true);
    if (token === null || !isRight(token)) {
      await failures(clientAddress(c, deps.settings.trustProxy));
      throw unauthorized();
    }
    await next();
  });
}

export function documentOf(app: Api) {
  app.openAPIRegistry.registerComponent("securitySchemes", "bearer", {
    type: "http",
    scheme: "bearer",
    description: "CLAUDE_WEBHOOK_SECRET",
  });
  return app.getOpenAPI31Document({
    openapi: "3.1.0",
    info: { title: "Claude Hub", version: "1", description: "Sessions of coding agents." },
    servers: [{ url: "/api/v1" }],
  });
}
