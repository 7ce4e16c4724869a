import { createRoute, z } from "@hono/zod-openapi";
import {
  DeliveryPageResource,
  DeliveryQuery,
  DeliveryResource,
  NewSimulation,
  SimulationResource,
  WholeDeliveryResource,
} from "./delivery-resources.ts";
import { json, problem, PROBLEMS } from "./responses.ts";

const ONE = { ...PROBLEMS, 404: problem("No such delivery") };
const FORGE = {
  429: problem("The forge asks for a pause"),
  502: problem("The forge cannot be asked"),
};
const params = z.object({
  id: z
    .string()
    .regex(/^[\w-]{1,100}$/)
    .meta({ description: "Its number, or the forge's id." }),
});
const common = { tags: ["deliveries"], security: [{ bearer: [] }] };

export const listDeliveries = createRoute({
  ...common,
  method: "get",
  path: "/deliveries",
  summary: "List what forges have sent, the newest first",
  request: { query: DeliveryQuery },
  responses: { 200: json(DeliveryPageResource, "One page"), ...PROBLEMS },
});

export const getDelivery = createRoute({
  ...common,
  method: "get",
  path: "/deliveries/{id}",
  summary: "Get a delivery, with what it says",
  request: { params },
  responses: { 200: json(WholeDeliveryResource, "The delivery"), ...ONE },
});

export const replayDelivery = createRoute({
  ...common,
  method: "post",
  path: "/deliveries/{id}/replay",
  summary: "Work a delivery off once more",
  description:
    "In its place among those of its thread. What it has made already is not made again.",
  request: { params },
  responses: { 200: json(DeliveryResource, "It waits"), ...ONE, 409: problem("It waits already") },
});

export const simulateDelivery = createRoute({
  ...common,
  method: "post",
  path: "/deliveries/{id}/simulate",
  summary: "Ask what would come of a delivery now, and why",
  description: "Nothing is written, neither here nor at the forge.",
  request: { params },
  responses: { 200: json(SimulationResource, "What each rule would do"), ...ONE, ...FORGE },
});

export const simulateUpload = createRoute({
  ...common,
  method: "post",
  path: "/deliveries/simulate",
  summary: "Ask what would come of a delivery that is given here, and why",
  description: "Nothing is written, neither here nor at the forge.",
  request: {
    body: { required: true, content: { "application/json": { schema: NewSimulation } } },
  },
  responses: {
    200: json(SimulationResource, "What each rule would do"),
    ...PROBLEMS,
    413: problem("Too large"),
    ...FORGE,
  },
});
