import { z } from "zod";

export const HubSettings = z.object({
  runtime: z.enum(["process", "bubblewrap", "docker"]),
  host: z.object({
    sandboxesDir: z.string(),
    gatewayDir: z.string(),
    gatewaySocketName: z.string(),
    runnerPath: z.string(),
    nodePath: z.string(),
    agentPaths: z.array(z.string()),
    containers: z.object({
      engine: z.string(),
      image: z.string(),
      agentInImage: z.boolean(),
      purpose: z.enum(["sessions", "doctor"]),
      hubId: z.string(),
      cpuShares: z.number(),
      diskBytes: z.number(),
      ociRuntime: z.string().nullable(),
    }),
  }),
});
export type HubSettings = z.infer<typeof HubSettings>;

const id = z.int();
export const HubRequest = z.discriminatedUnion("method", [
  z.object({ id, method: z.enum(["check", "list"]) }),
  z.object({ id, method: z.enum(["inspect", "stop", "remove", "lastWords"]), name: z.string() }),
  z.object({
    id,
    method: z.literal("ensure"),
    spec: z.object({
      name: z.string(),
      sessionId: z.string(),
      token: z.string(),
      limits: z.object({ memoryBytes: z.number(), processes: z.number() }),
    }),
  }),
]);
export type HubRequest = z.infer<typeof HubRequest>;

export const HubAnswer = z.union([
  z.object({ id, error: z.string() }),
  z.object({ id, value: z.unknown() }),
]);

/** What each method answers, as it comes over the line. */
export const HubValue = {
  ensure: z.enum(["created", "adopted", "exited"]),
  inspect: z.enum(["absent", "running", "exited"]),
  list: z.array(z.object({ name: z.string(), state: z.enum(["running", "exited"]) })),
  lastWords: z.string(),
  nothing: z.null(),
  check: z.discriminatedUnion("available", [
    z.object({
      available: z.literal(true),
      abilities: z.object({
        isolation: z.enum(["none", "namespaces", "container"]),
        memoryLimit: z.boolean(),
        processLimit: z.boolean(),
      }),
    }),
    z.object({ available: z.literal(false), reason: z.string() }),
  ]),
};
