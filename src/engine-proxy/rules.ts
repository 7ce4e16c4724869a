import { z } from "zod";

const REF = "([A-Za-z0-9_-]+)";
const nothing = z.strictObject({});
const yes = z.literal("true").optional();

const on = (
  method: string,
  path: string,
  query: z.ZodType<Record<string, string | undefined>>,
) => ({
  method,
  path: new RegExp(`^${path}$`),
  query,
});

/**
 * Every request that there is. What is not here is refused: whoever adds a line says what a hub that has been taken over
 * can do with it.
 */
export const RULES = {
  version: on("GET", "/version", nothing),
  info: on("GET", "/info", nothing),
  sizes: on("GET", "/system/df", nothing),
  image: on("GET", "/images/(.+)/json", nothing),
  pull: on(
    "POST",
    "/images/create",
    z.strictObject({ fromImage: z.string(), tag: z.string().optional() }),
  ),
  events: on(
    "GET",
    "/events",
    z.strictObject({
      since: z.literal("1"),
      until: z.string().regex(/^\d{1,12}$/),
      filters: z.string(),
    }),
  ),

  containers: on("GET", "/containers/json", z.strictObject({ all: yes, filters: z.string() })),
  create: on("POST", "/containers/create", z.strictObject({ name: z.string() })),
  inspect: on("GET", `/containers/${REF}/json`, nothing),
  attach: on(
    "POST",
    `/containers/${REF}/attach`,
    z.strictObject({
      stream: z.literal("1"),
      stdin: z.literal("1"),
      stdout: z.literal("1").optional(),
      stderr: z.literal("1").optional(),
    }),
  ),
  start: on("POST", `/containers/${REF}/start`, nothing),
  kill: on("POST", `/containers/${REF}/kill`, z.strictObject({ signal: z.literal("SIGKILL") })),
  wait: on(
    "POST",
    `/containers/${REF}/wait`,
    z.strictObject({ condition: z.literal("not-running") }),
  ),
  logs: on(
    "GET",
    `/containers/${REF}/logs`,
    z.strictObject({ stdout: yes, stderr: yes, tail: z.string().regex(/^\d{1,4}$/) }),
  ),
  remove: on("DELETE", `/containers/${REF}`, z.strictObject({ force: yes, v: yes })),
  read: on("GET", `/containers/${REF}/archive`, z.strictObject({ path: z.string() })),
  write: on("PUT", `/containers/${REF}/archive`, z.strictObject({ path: z.string() })),

  volumes: on("GET", "/volumes", z.strictObject({ filters: z.string() })),
  createVolume: on("POST", "/volumes/create", nothing),
  inspectVolume: on("GET", `/volumes/${REF}`, nothing),
  removeVolume: on("DELETE", `/volumes/${REF}`, nothing),
} as const;
export type Rule = keyof typeof RULES;
