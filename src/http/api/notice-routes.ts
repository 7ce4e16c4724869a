import { createRoute, z } from "@hono/zod-openapi";
import { Id } from "../../core/id.ts";
import { LIMITS } from "../../core/limits.ts";
import { NoticeState } from "../../core/notice.ts";
import { NoticePageResource, NoticeResource } from "./notice-resources.ts";
import { json, problem, PROBLEMS } from "./responses.ts";

const common = { tags: ["notices"], security: [{ bearer: [] }] };

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
