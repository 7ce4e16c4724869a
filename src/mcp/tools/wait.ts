import { z } from "zod";
import { HubError, ifFound } from "../../core/errors.ts";
import { Id } from "../../core/id.ts";
import { isFinal, SessionStatus } from "../../core/session.ts";
import type { Session } from "../../core/session.ts";
import { mcpTool } from "../tool.ts";
import type { McpCall } from "../tool.ts";
import { BOUNDS, cut } from "../views.ts";
import { waitForSessions } from "../wait.ts";

const MOST_SESSIONS = 100;
const USUAL_SECONDS = 3_600;
const MOST_SECONDS = 604_800;
const SECOND_MS = 1_000;

const Waited = z.object({
  id: z.string(),
  status: SessionStatus,
  isOver: z.boolean(),
  summary: z.string().nullable(),
  error: z.string().nullable(),
  workBranch: z.string().nullable(),
  note: z.string().nullable().describe("Why it is not over."),
});

/** @param usualSeconds How long it waits that says nothing of it. */
export const waitTool = ({ usualSeconds }: { usualSeconds: number }) =>
  mcpTool({
    name: "wait_for_session",
    title: "Wait for sessions",
    description:
      "Waits until a session is over, or several: all of them, or any. Costs nothing while it waits. When the time is up it says " +
      "how they stand; then call it again.",
    scope: "read",
    effect: "reads",
    input: z
      .strictObject({
        session_id: Id.optional().describe("The session to wait for."),
        session_ids: z.array(Id).min(1).max(MOST_SESSIONS).optional().describe("Or several."),
        mode: z.enum(["all", "any"]).default("all").describe("Of several."),
        timeout_seconds: z.number().min(0).max(MOST_SECONDS).default(usualSeconds),
        poll_interval_seconds: z
          .number()
          .min(0)
          .optional()
          .describe("Of older clients; the hub is told of the end, and asks nobody."),
      })
      .refine(({ session_id: one, session_ids: several }) => (one ?? several) !== undefined, {
        path: ["session_id"],
        error: "is missing: give it, or session_ids",
      }),
    output: z.object({
      done: z.boolean().describe("Whether what was waited for has come."),
      timedOut: z.boolean(),
      waitedSeconds: z.number(),
      sessions: z.array(Waited),
    }),
    async run(input, call) {
      const { session_id: one, session_ids: several = [], mode } = input;
      const ids = [...new Set([...(one === undefined ? [] : [one]), ...several])];
      await Promise.all(ids.map((id) => checkKnown(id, call)));
      const began = performance.now();
      await waitForSessions(call, {
        ids,
        mode,
        waitMs: Math.min(input.timeout_seconds * SECOND_MS, call.settings.waitMs),
      });
      const sessions = await Promise.all(ids.map((id) => waited(id, call)));
      const over = sessions.filter(({ isOver }) => isOver).length;
      const done = mode === "all" ? over === ids.length : over > 0;
      const waitedSeconds = Math.round((performance.now() - began) / 100) / 10;
      return { done, timedOut: !done, waitedSeconds, sessions };
    },
  });

export const waitForSession = waitTool({ usualSeconds: USUAL_SECONDS });

async function checkKnown(id: Id, { sessions }: McpCall): Promise<void> {
  if ((await ifFound(sessions.get(id))) === null)
    throw new HubError("not_found", `session ${id} not found`);
}

async function waited(id: Id, { sessions, events }: McpCall): Promise<z.infer<typeof Waited>> {
  const session = await sessions.get(id);
  const isOver = isFinal(session.status);
  // The last event of a session that is over says what came of it.
  const [last] = isOver ? await events.readLast(id, 1) : [];
  const summary = last?.body["summary"];
  return {
    id,
    status: session.status,
    isOver,
    summary: typeof summary === "string" ? cut(summary, BOUNDS.summaryChars) : null,
    error: session.error,
    workBranch: session.workBranch,
    note: isOver ? null : noteOf(session),
  };
}

function noteOf({ status, requestedAt, admittedAt }: Session): string {
  if (requestedAt === null) return "Nobody has started it: call start_session.";
  if (status === "pending") return "It waits for its dependencies or for a slot.";
  return admittedAt !== null && status === "initializing"
    ? "Its sandbox is coming up."
    : "It runs.";
}
