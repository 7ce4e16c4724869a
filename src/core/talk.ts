import { z } from "zod";
import { LIMITS } from "./limits.ts";
import { ModelName } from "./repository-settings.ts";
import { Project } from "./session.ts";

/** What is said to a session. */
export const Message = z.object({
  text: z
    .string()
    .min(1)
    .max(LIMITS.messageChars)
    .refine((text) => !text.includes("\u0000"), "must not contain NUL")
    .refine((text) => text.isWellFormed(), "must be well-formed Unicode"),
  interrupt: z.boolean().optional().meta({ description: "End what the agent is doing first." }),
});
export type Message = z.infer<typeof Message>;

/** What is to be done next, in a new session. */
export const NextTask = z.object({
  requirements: Project.shape.requirements,
  autoStart: z.boolean().optional(),
});
export type NextTask = z.infer<typeof NextTask>;

export const Fork = NextTask.extend({
  at: z.int().min(1).max(2_147_483_647).optional().meta({
    description:
      "`seq` of the event up to which the new session knows the conversation; without it, all.",
  }),
});
export type Fork = z.infer<typeof Fork>;

/** The same task once more. */
export const Retry = z.object({ model: ModelName.optional() });
export type Retry = z.infer<typeof Retry>;
