import { z } from "zod";

/** What others are told of by HTTP. */
export const NoticeKind = z.enum(["session.completed", "session.failed", "session.cancelled"]);
export type NoticeKind = z.infer<typeof NoticeKind>;

/**
 * A notice's life: `waiting` until it was taken (`told`) or given up (`failed`); whoever asks for it again makes it wait
 * once more.
 */
export const NoticeState = z.enum(["waiting", "told", "failed"]);
export type NoticeState = z.infer<typeof NoticeState>;

/** A key that notices are signed with, as it is written: `whsec_`, and 24 to 64 bytes in base64. */
export const NOTICE_SECRET = /^whsec_[A-Za-z0-9+/]{32,86}={0,2}$/;
