import { OpenAPIHono } from "@hono/zod-openapi";
import { conflict, notFound } from "../../core/errors.ts";
import type { Id } from "../../core/id.ts";
import { LIMITS } from "../../core/limits.ts";
import type { HttpDeps, HttpEnv } from "../deps.ts";
import { misfit } from "../failure.ts";
import { noticeResource } from "./notice-resources.ts";
import { listNotices, resendNotice } from "./notice-routes.ts";

/** Who was told of the end of sessions, below /api/v1/notices. */
export function createNoticeApi({
  notices,
  onNotice,
  clock,
}: Pick<HttpDeps, "notices" | "onNotice" | "clock">) {
  async function find(id: Id) {
    const notice = await notices.get(id);
    if (notice === null) throw notFound("Notice");
    return notice;
  }

  return new OpenAPIHono<HttpEnv>({
    defaultHook: (result) => {
      if (!result.success) throw misfit(result.error);
    },
  })
    .openapi(listNotices, async (c) => {
      const { cursor, limit = LIMITS.listPage, ...filter } = c.req.valid("query");
      const found = await notices.list({ ...filter, before: cursor, limit: limit + 1 });
      const page = found.slice(0, limit);
      const nextCursor = found.length > limit ? (page.at(-1)?.id ?? null) : null;
      return c.json({ notices: page.map(noticeResource), nextCursor }, 200);
    })
    .openapi(resendNotice, async (c) => {
      const { id } = c.req.valid("param");
      await find(id);
      if (!(await notices.again(id, clock.now()))) throw conflict("The notice waits to be sent");
      onNotice();
      return c.json(noticeResource(await find(id)), 200);
    });
}
