import { OpenAPIHono } from "@hono/zod-openapi";
import { LIMITS } from "../../core/limits.ts";
import type { HttpDeps, HttpEnv } from "../deps.ts";
import { misfit } from "../failure.ts";
import * as routes from "./token-routes.ts";

/** Tokens of API clients, below /api/v1/tokens. */
export function createTokenApi({ tokens }: Pick<HttpDeps, "tokens">) {
  return new OpenAPIHono<HttpEnv>({
    defaultHook: (result) => {
      if (!result.success) throw misfit(result.error);
    },
  })
    .openapi(routes.createToken, async (c) => {
      const { token, secret } = await tokens.create(c.req.valid("json"));
      return c.json({ ...token, token: secret.reveal() }, 201);
    })
    .openapi(routes.listTokens, async (c) => {
      const { cursor, limit = LIMITS.listPage } = c.req.valid("query");
      const found = await tokens.list({ before: cursor, limit: limit + 1 });
      const page = found.slice(0, limit);
      const nextCursor = found.length > limit ? (page.at(-1)?.id ?? null) : null;
      return c.json({ tokens: page, nextCursor }, 200);
    })
    .openapi(routes.revokeToken, async (c) =>
      c.json(await tokens.revoke(c.req.valid("param").id), 200),
    );
}
