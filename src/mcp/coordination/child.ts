import { z } from "zod";
import { Id } from "../../core/id.ts";
import { Project, SessionType } from "../../core/session.ts";
import type { Children, Coordinator } from "../../orchestration/children.ts";
import { mcpTool } from "../tool.ts";
import type { McpTool } from "../tool.ts";
import { NEW_SESSION, newSession } from "../tools/sessions.ts";
import { sessionView, SessionView } from "../views.ts";

const TITLE_CHARS = 120;

const Input = z.strictObject({
  title: z.string().trim().min(1).max(TITLE_CHARS).optional().describe("A few words, for people."),
  session_type: SessionType.exclude(["coordination"]).describe(
    "implementation and testing change and push; analysis and review read.",
  ),
  ...NEW_SESSION,
  repository: Project.shape.repository.optional().describe("That of the request, and no other."),
  replaces: Id.optional().describe(
    "A session of yours whose work does not count any more: this one is made in its place.",
  ),
});

/** How a session that coordinates has others made: like anybody else, within its own orchestration. */
export function createChild(children: Children, coordinator: Coordinator, call: number): McpTool {
  return mcpTool({
    name: "create_session",
    title: "Create a session",
    description:
      "Has a part of the request done by another agent, in a sandbox with a clone of the repository; what it changes goes to a " +
      "branch of its own. With auto_start it starts by itself as soon as its dependencies have completed, else when start_session " +
      "is called.",
    scope: "write",
    effect: "adds",
    input: Input,
    output: z.object({ session: SessionView }),
    async run({ title, replaces, ...input }) {
      const { repository = coordinator.project.repository, branch } = input;
      const session = newSession({
        ...input,
        repository,
        branch: branch ?? coordinator.project.branch,
      });
      const named = title ?? titleFrom(input.requirements);
      const made = await children.create(coordinator, { session, title: named, replaces, call });
      return { session: sessionView(made) };
    },
  });
}

function titleFrom(requirements: string): string {
  const [line = ""] = requirements.trim().split("\n");
  return line.slice(0, TITLE_CHARS).toWellFormed() || "A part";
}
