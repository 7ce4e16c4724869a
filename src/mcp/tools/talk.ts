import { z } from "zod";
import { forbidden } from "../../core/errors.ts";
import { Id } from "../../core/id.ts";
import { Fork, Message, NextTask, Retry } from "../../core/talk.ts";
import { mcpTool } from "../tool.ts";
import type { McpCall, McpTalk } from "../tool.ts";
import { sessionView, SessionView } from "../views.ts";

const session_id = Id.describe("The session's id.");
const Sent = z.object({
  id: z.string().describe("As message.sent and message.delivered in the log call it."),
  at: z.string(),
});

export const messageSession = mcpTool({
  name: "message_session",
  title: "Tell a session something",
  description:
    "Tells a session something while it runs, or before it begins. Its agent reads it at its next step, as an order. What has " +
    "ended hears nothing: continue_session.",
  scope: "write",
  effect: "adds",
  input: z.strictObject({ session_id, ...Message.shape }),
  output: Sent,
  run: async ({ session_id: id, ...message }, call) => await talkOf(call).message(id, message),
});

export const interruptSession = mcpTool({
  name: "interrupt_session",
  title: "Interrupt a session",
  description:
    "Ends what a session's agent is doing. It then waits a while for message_session, and is cancelled when nothing comes.",
  scope: "write",
  effect: "ends",
  input: z.strictObject({ session_id }),
  output: Sent,
  run: async ({ session_id: id }, call) => await talkOf(call).interrupt(id),
});

export const continueSession = mcpTool({
  name: "continue_session",
  title: "Continue a session",
  description:
    "Makes a session that goes on with the conversation and the branch of another one, once that has ended. A session is " +
    "continued once; then continue the new one.",
  scope: "write",
  effect: "adds",
  input: z.strictObject({
    session_id,
    requirements: NextTask.shape.requirements.describe("What the agent shall do now."),
    auto_start: z.boolean().default(true).describe("Start as soon as that one has ended."),
  }),
  output: z.object({ session: SessionView }),
  async run({ session_id: id, requirements, auto_start: autoStart }, call) {
    const made = await talkOf(call).continueWith(id, { requirements, autoStart });
    return { session: sessionView(made) };
  },
});

export const forkSession = mcpTool({
  name: "fork_session",
  title: "Fork a session",
  description:
    "Makes a session that goes another way from one moment of a session that has ended: with its conversation up to then, on " +
    "the commit of then, on a branch of its own.",
  scope: "write",
  effect: "adds",
  input: z.strictObject({
    session_id,
    requirements: Fork.shape.requirements.describe("What the agent shall do now."),
    at: Fork.shape.at.describe("seq of an event of its log (get_session_events); else its end."),
    auto_start: z.boolean().default(true),
  }),
  output: z.object({ session: SessionView }),
  async run({ session_id: id, requirements, at, auto_start: autoStart }, call) {
    const made = await talkOf(call).fork(id, { requirements, at, autoStart });
    return { session: sessionView(made) };
  },
});

export const retrySession = mcpTool({
  name: "retry_session",
  title: "Retry a session",
  description: "Makes a session with the same task as one that has ended, and starts it.",
  scope: "write",
  effect: "adds",
  input: z.strictObject({
    session_id,
    model: Retry.shape.model.describe("One that the operator allows."),
  }),
  output: z.object({ session: SessionView }),
  run: async ({ session_id: id, ...how }, call) => ({
    session: sessionView(await talkOf(call).retry(id, how)),
  }),
});

function talkOf({ talk }: McpCall): McpTalk {
  if (talk === undefined) throw forbidden("Sessions are not talked to here");
  return talk;
}
