import { z } from "zod";
import { EventBody } from "./event.ts";

/** Something a session made. The shape is the older API's. */
export const Artifact = z.object({
  type: z.enum(["file", "commit", "pr", "issue", "comment"]),
  path: z.string().max(4_096).optional(),
  content: z.string().max(65_536).optional(),
  sha: z.string().max(64).optional(),
  url: z.string().max(2_000).optional(),
  metadata: EventBody.optional(),
});
export type Artifact = z.infer<typeof Artifact>;

/** What `session.output` answers; complete once the session has ended, what there is so far before. */
export interface SessionOutput {
  logs: string[];
  artifacts: Artifact[];
  summary: string;
  nextSteps: string[];
}
