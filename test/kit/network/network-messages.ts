import { z } from "zod";

/** What the hub of a test network is started with. */
export const SceneSettings = z.object({
  runtime: z.enum(["bubblewrap", "docker"]),
  env: z.record(z.string(), z.string()),
  /** Files by path, by repository. */
  repositories: z.record(z.string(), z.record(z.string(), z.string())),
});
export type SceneSettings = z.infer<typeof SceneSettings>;

export const SceneRequest = z.object({
  id: z.int(),
  requirements: z.string(),
  repository: z.string(),
});
export type SceneRequest = z.infer<typeof SceneRequest>;

export const SceneAnswer = z.object({
  id: z.int(),
  status: z.string(),
  error: z.string().nullable(),
  events: z.array(z.object({ kind: z.string(), body: z.record(z.string(), z.json()) })),
});
export type SceneAnswer = z.infer<typeof SceneAnswer>;

/** What the rest of the world has seen. */
export const Sighting = z.union([
  z.object({ reached: z.string(), request: z.string() }),
  z.object({ name: z.string(), type: z.string() }),
  z.object({ sentMegabytes: z.number() }),
]);
export type Sighting = z.infer<typeof Sighting>;
