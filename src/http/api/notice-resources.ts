import { z } from "zod";
import { NoticeKind, NoticeState } from "../../core/notice.ts";
import type { StoredNotice } from "../../store/notices.ts";

const time = z.iso.datetime();

export const NoticeResource = z
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

type NoticeResource = z.infer<typeof NoticeResource>;

export const NoticePageResource = z
  .object({ notices: z.array(NoticeResource), nextCursor: z.uuid().nullable() })
  .meta({ id: "NoticePage" });

export function noticeResource(notice: StoredNotice): NoticeResource {
  const { id, sessionId, kind, url, state, outcome, attempts, at, dueAt, finishedAt } = notice;
  const { host } = new URL(url);
  return { id, sessionId, kind, host, state, outcome, attempts, at, dueAt, finishedAt };
}
