import { z } from "zod";
import type { TestHub } from "../../test/kit/hub/hub.ts";

const Sessions = z.object({
  sessions: z.array(
    z.object({
      id: z.string(),
      project: z.object({ repository: z.string() }),
      metadata: z.object({ github: z.object({ number: z.int() }) }),
      admittedAt: z.string().nullable(),
      completedAt: z.string().nullable(),
    }),
  ),
  nextCursor: z.string().nullish(),
});
export type Session = z.infer<typeof Sessions>["sessions"][number];

/** The newest ones. */
export async function sessionsOf(hub: TestHub, count: number): Promise<Session[]> {
  const found: Session[] = [];
  for (let cursor = ""; found.length < count;) {
    const answer = await hub.fetch(`/api/v1/sessions?limit=${Math.min(count, 100)}${cursor}`);
    const { sessions, nextCursor } = Sessions.parse(await answer.json());
    found.push(...sessions);
    if (nextCursor == null) break;
    cursor = `&cursor=${nextCursor}`;
  }
  return found;
}
