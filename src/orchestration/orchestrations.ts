import { z } from "zod";
import { newId } from "../core/id.ts";
import type { Id } from "../core/id.ts";
import { Metadata, Project, SessionOptions } from "../core/session.ts";
import type { Session, SessionStatus } from "../core/session.ts";
import type { Sessions } from "../sessions/sessions.ts";

export const NewOrchestration = z.object({
  sessionType: z.literal("coordination").default("coordination"),
  autoStart: z.boolean().default(false),
  project: Project,
  metadata: Metadata.optional(),
  options: SessionOptions.optional(),
});
export type NewOrchestration = z.infer<typeof NewOrchestration>;

export interface Orchestrated {
  orchestrationId: Id;
  /** Of the coordinating session. */
  status: SessionStatus;
  sessions: Session[];
  /** One sentence for people. */
  summary: string;
}

export interface Orchestrations {
  /** One request, a group of sessions; begins with the session that coordinates it. */
  create(input: NewOrchestration): Promise<Orchestrated>;
}

export function createOrchestrations(sessions: Sessions): Orchestrations {
  return {
    async create({ sessionType, autoStart, project, metadata, options }) {
      const orchestrationId = newId();
      const session = await sessions.create(
        {
          type: sessionType,
          project,
          dependencies: [],
          options: { ...options, autoStart: options?.autoStart ?? autoStart },
          ...(metadata === undefined ? {} : { metadata }),
        },
        { orchestrationId },
      );
      const begun = session.requestedAt === null ? "is ready to be started" : "has been started";
      return {
        orchestrationId,
        status: session.status,
        sessions: [session],
        summary: `Orchestration of ${project.repository}: its coordinating session ${begun}`,
      };
    },
  };
}
