import { createRoute, z } from "@hono/zod-openapi";
import { Approval, Decision, OpenApproval } from "../../core/approval.ts";
import { Id } from "../../core/id.ts";
import { Fork, Message, NextTask, Retry } from "../../core/talk.ts";
import { SessionResource } from "./resources.ts";
import { json, problem, PROBLEMS } from "./responses.ts";

const ONE = {
  ...PROBLEMS,
  404: problem("No such session"),
  409: problem("It hears nothing any more, or not yet"),
  429: problem("It has been told too much"),
};
const params = z.object({ id: Id });
const common = { tags: ["talk"], security: [{ bearer: [] }] };

const NewMessage = Message.meta({ id: "NewMessage" });
const NewTask = NextTask.meta({ id: "NextTask" });
const NewFork = Fork.meta({ id: "NewFork" });
const NewTry = Retry.meta({ id: "NewTry" });

const Answer = z
  .object({ decision: Decision, note: z.string().max(2_000).optional() })
  .meta({ id: "ApprovalAnswer" });
const ApprovalResource = Approval.meta({ id: "Approval" });
const ApprovalsResource = z
  .object({ approvals: z.array(ApprovalResource) })
  .meta({ id: "Approvals" });
const OpenApprovalsResource = z
  .object({ approvals: z.array(OpenApproval.meta({ id: "OpenApproval" })) })
  .meta({ id: "OpenApprovals" });

const SentResource = z.object({ id: z.uuid(), at: z.iso.datetime() }).meta({ id: "SentMessage" });

export const sendMessage = createRoute({
  ...common,
  method: "post",
  path: "/sessions/{id}/messages",
  summary: "Tell a session something",
  description:
    "The agent reads it at its next step, as an order; a session that has not begun, when it begins. " +
    "The event `message.delivered` with this `id` says that it has.",
  request: {
    params,
    body: { required: true, content: { "application/json": { schema: NewMessage } } },
  },
  responses: { 202: json(SentResource, "It will be delivered"), ...ONE, 413: problem("Too large") },
});

export const interruptSession = createRoute({
  ...common,
  method: "post",
  path: "/sessions/{id}/interrupt",
  summary: "End what the agent is doing",
  description: "The session waits for a message then, and ends when none comes.",
  request: { params },
  responses: { 202: json(SentResource, "It will be interrupted"), ...ONE },
});

const held = { ...ONE, 200: json(SessionResource, "The session as it is now") };

export const pauseSession = createRoute({
  ...common,
  method: "post",
  path: "/sessions/{id}/pause",
  summary: "Have a session's agent wait until it is resumed",
  description:
    "The agent is interrupted. Its sandbox and its slot are kept, and its time does not pass. Its status stays `running`; " +
    "`pause` says since when, and why. Again: the same answer.",
  request: { params },
  responses: held,
});

export const resumeSession = createRoute({
  ...common,
  method: "post",
  path: "/sessions/{id}/resume",
  summary: "Have a paused session go on",
  description: "Of a session that is at work: the same answer, and nothing changes.",
  request: { params },
  responses: held,
});

const made = { ...ONE, 201: json(SessionResource, "The new session"), 413: problem("Too large") };

export const continueSession = createRoute({
  ...common,
  method: "post",
  path: "/sessions/{id}/continue",
  summary: "Go on with a session's conversation and branch in a new session",
  description:
    "It begins when that one has ended. One session goes on with another; several can be forks.",
  request: {
    params,
    body: { required: true, content: { "application/json": { schema: NewTask } } },
  },
  responses: made,
});

export const forkSession = createRoute({
  ...common,
  method: "post",
  path: "/sessions/{id}/fork",
  summary: "Go another way from a moment of a session that has ended",
  description:
    "The new session knows the conversation up to the last thing that was said by that event, and works on the commit of " +
    "then, on a branch of its own.",
  request: {
    params,
    body: { required: true, content: { "application/json": { schema: NewFork } } },
  },
  responses: made,
});

export const retrySession = createRoute({
  ...common,
  method: "post",
  path: "/sessions/{id}/retry",
  summary: "Do a session's task once more from its beginning, perhaps with another model",
  request: {
    params,
    body: { required: true, content: { "application/json": { schema: NewTry } } },
  },
  responses: made,
});

export const listApprovals = createRoute({
  ...common,
  method: "get",
  path: "/sessions/{id}/approvals",
  summary: "List what a session has asked people, the oldest first",
  request: { params },
  responses: {
    200: json(ApprovalsResource, "Questions and answers"),
    ...PROBLEMS,
    404: problem("No such session"),
  },
});

export const listOpenApprovals = createRoute({
  ...common,
  method: "get",
  path: "/approvals",
  summary: "List what all sessions ask people now, the most urgent first",
  description: "At most a hundred; the page `/questions` shows them.",
  responses: { 200: json(OpenApprovalsResource, "Questions without an answer"), ...PROBLEMS },
});

export const answerApproval = createRoute({
  ...common,
  method: "post",
  path: "/sessions/{id}/approvals/{approvalId}",
  summary: "Allow or deny what a session asks for",
  description: "Tokens of an orchestration, which agents hold, cannot.",
  request: {
    params: params.extend({ approvalId: Id }),
    body: { required: true, content: { "application/json": { schema: Answer } } },
  },
  responses: {
    200: json(ApprovalResource, "The question, answered"),
    ...ONE,
    403: problem("Not for a token of an orchestration"),
    409: problem("It was answered already, or its time is up"),
    413: problem("Too large"),
  },
});
