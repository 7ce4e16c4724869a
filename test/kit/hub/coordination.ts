import { z } from "zod";
import { REPOSITORY } from "./house.ts";
import type { TestHub } from "./hub.ts";
import { waitFor } from "../wait.ts";

const View = z.object({
  id: z.string(),
  state: z.string(),
  error: z.string().nullable(),
  summary: z.string().nullable(),
  branch: z.string().nullable(),
  pullRequestUrl: z.string().nullable(),
  sessions: z.array(
    z.object({
      sessionId: z.string(),
      role: z.string().nullable(),
      title: z.string().nullable(),
      place: z.string(),
      status: z.string(),
      error: z.string().nullable(),
      workBranch: z.string().nullable(),
      dependencies: z.array(z.string()),
      startedAt: z.string().nullable(),
      completedAt: z.string().nullable(),
    }),
  ),
});
export type OrchestrationView = z.infer<typeof View>;

/** Has a session coordinate others; answers the orchestration's id. */
export async function coordinate(
  hub: TestHub,
  requirements: string,
  more: { repository?: string; options?: Record<string, unknown> } = {},
): Promise<string> {
  const { repository = REPOSITORY, options } = more;
  const answer = await hub.fetch("/api/v1/orchestrations", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ project: { repository, requirements }, autoStart: true, options }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`orchestrations: ${answer.status} ${text}`);
  return z.object({ orchestrationId: z.string() }).parse(JSON.parse(text)).orchestrationId;
}

export async function orchestrationOf(hub: TestHub, id: string): Promise<OrchestrationView> {
  const answer = await hub.fetch(`/api/v1/orchestrations/${id}`);
  return View.parse(await answer.json());
}

/** As it is once it has ended. */
export async function outcomeOf(
  hub: TestHub,
  id: string,
  timeoutMs = 120_000,
): Promise<OrchestrationView> {
  return await waitFor(
    async () => {
      const view = await orchestrationOf(hub, id);
      return ["completed", "failed", "cancelled"].includes(view.state) ? view : undefined;
    },
    { timeoutMs, what: `orchestration ${id} to end` },
  );
}

/** What an event says, as far as it is text. */
export function textOf(body: Record<string, unknown> | undefined): string {
  const text = body?.["text"];
  return typeof text === "string" ? text : "";
}
