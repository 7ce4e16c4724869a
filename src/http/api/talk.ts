import { OpenAPIHono } from "@hono/zod-openapi";
import { forbidden } from "../../core/errors.ts";
import type { Session } from "../../core/session.ts";
import { sessionsFor } from "../../sessions/seen.ts";
import { senderOf, talkFor } from "../../sessions/talk/seen-talk.ts";
import type { HttpContext, HttpDeps, HttpEnv } from "../deps.ts";
import { misfit } from "../failure.ts";
import { sessionResource } from "./resources.ts";
import * as routes from "./talk-routes.ts";

const sender = (c: HttpContext) => senderOf(c.get("access"));

/** What is said to sessions while they run. */
export function createTalkApi({
  talk,
  again,
  approvals,
  pauses,
  sessions,
}: Pick<HttpDeps, "talk" | "again" | "approvals" | "pauses" | "sessions">) {
  const talkOf = (c: HttpContext) => talkFor(talk, sessions, c.get("access"));
  const sessionsOf = (c: HttpContext) => sessionsFor(sessions, c.get("access"));
  return new OpenAPIHono<HttpEnv>({
    defaultHook: (result) => {
      if (!result.success) throw misfit(result.error);
    },
  })
    .openapi(routes.sendMessage, async (c) => {
      const message = { ...c.req.valid("json"), sender: sender(c) };
      return c.json(await talkOf(c).message(c.req.valid("param").id, message), 202);
    })
    .openapi(routes.interruptSession, async (c) =>
      c.json(await talkOf(c).interrupt(c.req.valid("param").id, sender(c)), 202),
    )
    .openapi(routes.pauseSession, async (c) => {
      const { id } = await sessionsOf(c).get(c.req.valid("param").id);
      await pauses.pause(id, sender(c));
      return c.json(sessionResource(await sessions.get(id)), 200);
    })
    .openapi(routes.resumeSession, async (c) => {
      const { id } = await sessionsOf(c).get(c.req.valid("param").id);
      await pauses.resume(id, sender(c));
      return c.json(sessionResource(await sessions.get(id)), 200);
    })
    .openapi(routes.continueSession, async (c) => {
      const { id } = c.req.valid("param");
      return created(c, await again.continueWith(sessionsOf(c), id, c.req.valid("json")));
    })
    .openapi(routes.forkSession, async (c) => {
      const { id } = c.req.valid("param");
      return created(c, await again.fork(sessionsOf(c), id, c.req.valid("json")));
    })
    .openapi(routes.retrySession, async (c) => {
      const { id } = c.req.valid("param");
      return created(c, await again.retry(sessionsOf(c), id, c.req.valid("json")));
    })
    .openapi(routes.listApprovals, async (c) => {
      const { id } = await sessionsOf(c).get(c.req.valid("param").id);
      return c.json({ approvals: await approvals.list(id) }, 200);
    })
    .openapi(routes.listOpenApprovals, async (c) =>
      c.json({ approvals: await approvals.open(c.get("access")) }, 200),
    )
    .openapi(routes.answerApproval, async (c) => {
      const { id, approvalId } = c.req.valid("param");
      await sessionsOf(c).get(id);
      // What such a token is for is the work of an agent, which is not to answer itself.
      if (c.get("access").orchestrationId !== null) throw forbidden("This takes a person");
      const answer = { ...c.req.valid("json"), by: sender(c) };
      return c.json(await approvals.answer(id, approvalId, answer), 200);
    });
}

function created(c: HttpContext, session: Session) {
  c.header("Location", `/api/v1/sessions/${session.id}`);
  return c.json(sessionResource(session), 201);
}
