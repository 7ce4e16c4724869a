import { createRoute, z } from "@hono/zod-openapi";
import { Scope } from "../../core/access.ts";
import { NewApiToken } from "../../core/api-token.ts";
import { Id } from "../../core/id.ts";
import { LIMITS } from "../../core/limits.ts";
import { json, problem, PROBLEMS } from "./responses.ts";

const time = z.iso.datetime();
const fields = {
  id: z.uuid(),
  name: z.string(),
  scopes: z.array(Scope),
  repositories: z.array(z.string()).nullable().meta({ description: "Null: all." }),
  orchestrationId: z.uuid().nullable(),
  createdAt: time,
  expiresAt: time.nullable(),
  lastUsedAt: time.nullable().meta({ description: "To the minute." }),
  revokedAt: time.nullable(),
};

const TokenResource = z.object(fields).meta({ id: "Token" });
const NewTokenResource = z
  .object({ ...fields, token: z.string().meta({ description: "Shown this once." }) })
  .meta({ id: "TokenWithSecret" });
const TokenPageResource = z
  .object({ tokens: z.array(TokenResource), nextCursor: z.uuid().nullable() })
  .meta({ id: "TokenPage" });

const common = { tags: ["tokens"], security: [{ bearer: [] }] };

export const createToken = createRoute({
  ...common,
  method: "post",
  path: "/tokens",
  summary: "Make a token",
  request: { body: { required: true, content: { "application/json": { schema: NewApiToken } } } },
  responses: {
    201: json(NewTokenResource, "The token; what proves it is not shown again"),
    ...PROBLEMS,
    409: problem("There are too many"),
  },
});

export const listTokens = createRoute({
  ...common,
  method: "get",
  path: "/tokens",
  summary: "List tokens, the newest first",
  request: {
    query: z.object({
      limit: z.coerce.number().int().min(1).max(LIMITS.listPage).optional(),
      cursor: Id.optional(),
    }),
  },
  responses: { 200: json(TokenPageResource, "One page"), ...PROBLEMS },
});

export const revokeToken = createRoute({
  ...common,
  method: "delete",
  path: "/tokens/{id}",
  summary: "Revoke a token",
  description:
    "At once for requests that come; an event stream that it has opened ends with its next heartbeat.",
  request: { params: z.object({ id: Id }) },
  responses: {
    200: json(TokenResource, "The token"),
    ...PROBLEMS,
    404: problem("No such token"),
  },
});
