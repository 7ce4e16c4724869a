import { createRoute, z } from "@hono/zod-openapi";
import { Id, IdPrefix } from "../../core/id.ts";
import { LIMITS } from "../../core/limits.ts";
import { Repository } from "../../core/repository.ts";
import { NewSession, SessionStatus } from "../../core/session.ts";
import {
  ArtifactsResource,
  OutputResource,
  SessionPageResource,
  SessionResource,
  StartedResource,
} from "./resources.ts";
import { json, problem, PROBLEMS } from "./responses.ts";

const ONE = { ...PROBLEMS, 404: problem("No such session") };
const params = z.object({ id: Id });
const common = { tags: ["sessions"], security: [{ bearer: [] }] };

export const createSession = createRoute({
  ...common,
  method: "post",
  path: "/sessions",
  summary: "Create a session",
  request: { body: { required: true, content: { "application/json": { schema: NewSession } } } },
  responses: { 201: json(SessionResource, "The session"), ...PROBLEMS, 413: problem("Too large") },
});

export const listSessions = createRoute({
  ...common,
  method: "get",
  path: "/sessions",
  summary: "List sessions, the newest first",
  request: {
    query: z.object({
      status: SessionStatus.optional(),
      repository: Repository.optional(),
      orchestrationId: Id.optional(),
      idPrefix: IdPrefix.optional(),
      dependsOn: Id.optional(),
      limit: z.coerce.number().int().min(1).max(LIMITS.listPage).optional(),
      cursor: Id.optional(),
    }),
  },
  responses: { 200: json(SessionPageResource, "One page"), ...PROBLEMS },
});

export const getSession = createRoute({
  ...common,
  method: "get",
  path: "/sessions/{id}",
  summary: "Get a session",
  request: { params },
  responses: { 200: json(SessionResource, "The session"), ...ONE },
});

export const startSession = createRoute({
  ...common,
  method: "post",
  path: "/sessions/{id}/start",
  summary: "Start a session, or queue it",
  request: { params },
  responses: {
    200: json(StartedResource, "The session, and what it waits for"),
    ...ONE,
    409: problem("It was started already"),
  },
});

export const cancelSession = createRoute({
  ...common,
  method: "post",
  path: "/sessions/{id}/cancel",
  summary: "Cancel a session, and what depends on it",
  request: { params },
  responses: { 200: json(SessionResource, "The session"), ...ONE, 409: problem("It has ended") },
});

export const getOutput = createRoute({
  ...common,
  method: "get",
  path: "/sessions/{id}/output",
  summary: "Get what a session has made and said so far",
  request: { params },
  responses: { 200: json(OutputResource, "Output"), ...ONE },
});

export const getArtifacts = createRoute({
  ...common,
  method: "get",
  path: "/sessions/{id}/artifacts",
  summary: "Get what a session has made",
  request: { params },
  responses: { 200: json(ArtifactsResource, "Artifacts"), ...ONE },
});

export const getDiff = createRoute({
  ...common,
  method: "get",
  path: "/sessions/{id}/diff",
  summary: "Get a session's work as one unified diff",
  request: { params },
  responses: {
    200: { content: { "text/x-diff": { schema: z.string() } }, description: "The diff" },
    ...ONE,
  },
});

export const getEvents = createRoute({
  ...common,
  method: "get",
  path: "/sessions/{id}/events",
  summary: "Get a session's log",
  description:
    "With `Accept: text/event-stream` the log is followed while it grows: `id` is the event's `seq`, `data` the event; " +
    "the stream goes on after `Last-Event-ID` (or `after`) and ends with the session. Otherwise the log so far, one event a line.",
  request: {
    params,
    query: z.object({ after: z.coerce.number().int().min(0).max(2_147_483_647).default(0) }),
  },
  responses: {
    200: {
      content: {
        "text/event-stream": { schema: z.string() },
        "application/x-ndjson": { schema: z.string() },
      },
      description: "Events",
    },
    204: { description: "The session has ended, and nothing came after that event" },
    ...ONE,
    429: problem("Too many streams are open"),
  },
});
