import { createRoute, z } from "@hono/zod-openapi";
import { Id } from "../../core/id.ts";
import { LIMITS } from "../../core/limits.ts";
import { NoticeKind, NoticeState } from "../../core/notice.ts";
import type { StoredNotice } from "../../store/notices.ts";
import { json, problem, PROBLEMS } from "./responses.ts";

const time = z.iso.datetime();
const common = { tags: ["notices"], security: [{ bearer: [] }] };

const NoticeResource = z
  .object({
    id: z.uuid().meta({ description: "Its `webhook-id`, the same over all tries." }),
    sessionId: z.uuid(),
    kind: NoticeKind,
    host: z.string().meta({ description: "Of the address; the rest of it may be a secret." }),
    state: NoticeState,
    outcome: z.string().nullable().meta({ description: "What came of it, or went wrong last." }),
    attempts: z.int(),
    at: time,
    dueAt: time.nullable().meta({ description: "When it is tried again." }),
    finishedAt: time.nullable(),
  })
  .meta({ id: "Notice" });

const NoticePageResource = z
  .object({ notices: z.array(NoticeResource), nextCursor: z.uuid().nullable() })
  .meta({ id: "NoticePage" });

export const listNotices = createRoute({
  ...common,
  method: "get",
  path: "/notices",
  summary: "List who was told of what, the newest first",
  request: {
    query: z.object({
      sessionId: Id.optional(),
      state: NoticeState.optional(),
      limit: z.coerce.number().int().min(1).max(LIMITS.listPage).optional(),
      cursor: Id.optional(),
    }),
  },
  responses: { 200: json(NoticePageResource, "One page"), ...PROBLEMS },
});

export const resendNotice = createRoute({
  ...common,
  method: "post",
  path: "/notices/{id}/resend",
  summary: "Send a notice once more",
  description: "With the id and the text that it had; the receiver knows it by that.",
  request: { params: z.object({ id: Id }) },
  responses: {
    200: json(NoticeResource, "It waits"),
    ...PROBLEMS,
    404: problem("No such notice"),
    409: problem("It waits already"),
  },
});

export function noticeResource(notice: StoredNotice): z.infer<typeof NoticeResource> {
  const { id, sessionId, kind, url, state, outcome, attempts, at, dueAt, finishedAt } = notice;
  const { host } = new URL(url);
  return { id, sessionId, kind, host, state, outcome, attempts, at, dueAt, finishedAt };
}
