import { Hono } from "hono";
import { HubError } from "../core/errors.ts";
import { createApi } from "./api/api.ts";
import { apiFailure } from "./api/problem.ts";
import type { HttpDeps, HttpEnv } from "./deps.ts";
import { createHostCheck } from "./host.ts";
import { createReference } from "./reference.ts";
import { createWebhooks, webhookFailure } from "./webhooks/webhooks.ts";

const HEADERS = {
  "X-Content-Type-Options": "nosniff",
  "Cache-Control": "no-store",
  "Referrer-Policy": "no-referrer",
  "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
};

/** Everything that the hub answers over HTTP, apart from its sandboxes' doors. */
export function createHttp(deps: HttpDeps): Hono<HttpEnv> {
  const { settings } = deps;
  const checkHost = createHostCheck([settings.host, ...settings.allowedHosts]);
  const app = new Hono<HttpEnv>();
  app.use(async (c, next) => {
    checkHost(c.req.header("host"));
    await next();
    for (const [name, value] of Object.entries(HEADERS))
      if (!c.res.headers.has(name)) c.res.headers.set(name, value);
  });
  app.get("/health", (c) => c.json(deps.health()));
  app.route("/api/webhooks", createWebhooks(deps));
  app.route("/api/v1", createApi(deps));
  app.route("/", createReference(deps));
  app.notFound(() => {
    throw new HubError("not_found", "Not found");
  });
  app.onError((error, c) =>
    c.req.path.startsWith("/api/v1") ? apiFailure(c, error, deps) : webhookFailure(c, error, deps),
  );
  return app;
}
