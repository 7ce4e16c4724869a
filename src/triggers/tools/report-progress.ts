import { z } from "zod";
import { toolOf } from "../../core/tool.ts";
import type { ToolMaker } from "./tool-maker.ts";

const STATES = { pending: "open", in_progress: "begun", completed: "done" } as const;

const Input = z.strictObject({
  plan: z
    .array(
      z.strictObject({
        text: z.string().trim().min(1).max(200),
        status: z.enum(["pending", "in_progress", "completed"]),
      }),
    )
    .max(30)
    .optional()
    .describe("The whole plan, in its order; it replaces the one before"),
  step: z.string().trim().max(200).optional().describe("What you are doing now, in a few words"),
});

/** Has the comment that tells of the session say how far it is. */
export const reportProgress: ToolMaker = () =>
  toolOf({
    name: "report_progress",
    description:
      "Shows the people who asked how far you are: your plan as a checklist, and what you are doing now. Call it when you have a plan, and whenever an item is begun or completed.",
    input: Input,
    limit: 200,
    // Going back to an earlier step is news, too.
    repeated: "again",
    async run({ plan, step }, call) {
      await call.record("progress.reported", {
        ...(plan === undefined
          ? {}
          : { plan: plan.map(({ text, status }) => ({ text, state: STATES[status] })) }),
        ...(step === undefined ? {} : { step }),
      });
      return "It is shown.";
    },
  });
