import { createRoute, z } from "@hono/zod-openapi";
import { Id, IdPrefix } from "../../core/id.ts";
import { LIMITS } from "../../core/limits.ts";
import { OrchestrationState } from "../../core/orchestration.ts";
import { Plan } from "../../core/plan.ts";
import { Repository } from "../../core/repository.ts";
import { NewOrchestration } from "../../orchestration/orchestrations.ts";
import {
  OrchestratedResource,
  OrchestrationPageResource,
  OrchestrationResource,
} from "./orchestration-resources.ts";
import { json, problem, PROBLEMS } from "./responses.ts";

const ONE = { ...PROBLEMS, 404: problem("No such orchestration") };
const params = z.object({ id: Id });
const version = z.int().min(1).meta({ description: "The version of the plan that was read." });
const common = { tags: ["orchestrations"], security: [{ bearer: [] }] };

export const createOrchestration = createRoute({
  ...common,
  method: "post",
  path: "/orchestrations",
  summary: "Have a request done by several sessions",
  description:
    'Without `plan` a session coordinates. `plan: "propose"` has a session make a plan, which people read, change and approve; ' +
    "a plan that is given is checked. With `autoStart` a plan runs without being approved.",
  request: {
    body: { required: true, content: { "application/json": { schema: NewOrchestration } } },
  },
  responses: {
    201: json(OrchestratedResource, "The orchestration"),
    ...PROBLEMS,
    413: problem("Too large"),
  },
});

export const listOrchestrations = createRoute({
  ...common,
  method: "get",
  path: "/orchestrations",
  summary: "List orchestrations, the newest first",
  request: {
    query: z.object({
      state: OrchestrationState.optional(),
      idPrefix: IdPrefix.optional(),
      repository: Repository.optional(),
      limit: z.coerce.number().int().min(1).max(LIMITS.listPage).optional(),
      cursor: Id.optional(),
    }),
  },
  responses: { 200: json(OrchestrationPageResource, "One page"), ...PROBLEMS },
});

export const getOrchestration = createRoute({
  ...common,
  method: "get",
  path: "/orchestrations/{id}",
  summary: "Get an orchestration, with its plan and the graph of its sessions",
  request: { params },
  responses: { 200: json(OrchestrationResource, "The orchestration"), ...ONE },
});

export const changePlan = createRoute({
  ...common,
  method: "put",
  path: "/orchestrations/{id}/plan",
  summary: "Change a plan before it runs",
  request: {
    params,
    body: {
      required: true,
      content: { "application/json": { schema: z.object({ plan: Plan, version }) } },
    },
  },
  responses: {
    200: json(OrchestrationResource, "The orchestration, with the next version of the plan"),
    ...ONE,
    409: problem("That is not the last version, or the plan does not wait to be approved"),
    413: problem("Too large"),
  },
});

export const approvePlan = createRoute({
  ...common,
  method: "post",
  path: "/orchestrations/{id}/approve",
  summary: "Run a plan",
  request: {
    params,
    body: {
      required: false,
      content: { "application/json": { schema: z.object({ version: version.optional() }) } },
    },
  },
  responses: {
    200: json(OrchestrationResource, "The orchestration"),
    ...ONE,
    409: problem("That is not the last version, or the plan does not wait to be approved"),
  },
});

export const cancelOrchestration = createRoute({
  ...common,
  method: "post",
  path: "/orchestrations/{id}/cancel",
  summary: "Cancel all sessions of an orchestration",
  request: { params },
  responses: {
    200: json(OrchestrationResource, "The orchestration"),
    ...ONE,
    409: problem("It has ended"),
  },
});
