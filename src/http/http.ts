import { Hono } from "hono";
import { HubError } from "../core/errors.ts";
import { createApi } from "./api/api.ts";
import { apiFailure } from "./api/problem.ts";
import { createGuard } from "./auth.ts";
import type { HttpDeps, HttpEnv } from "./deps.ts";
import { createHostCheck } from "./host.ts";
import { createMcpDoor } from "./mcp.ts";
import { createMetrics } from "./metrics.ts";
import { createPage } from "./page.ts";
import { createReference } from "./reference.ts";
import { createWebhooks, webhookFailure } from "./webhooks/webhooks.ts";

const HEADERS = Object.entries({
  "X-Content-Type-Options": "nosniff",
  "Cache-Control": "no-store",
  "Referrer-Policy": "no-referrer",
  "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
});

/** Everything that the hub answers over HTTP, apart from its sandboxes' doors. */
export function createHttp(deps: HttpDeps): Hono<HttpEnv> {
  const { settings } = deps;
  const checkHost = createHostCheck([settings.host, ...settings.allowedHosts]);
  const guard = createGuard({
    secret: deps.secrets.bearer,
    tokens: deps.tokens,
    failures: settings.authFailures,
    trustProxy: settings.trustProxy,
  });
  const app = new Hono<HttpEnv>();
  app.use(async (c, next) => {
    // On Node's own response: touching a web one would make every answer build its headers twice.
    for (const [name, value] of HEADERS) c.env.outgoing.setHeader(name, value);
    checkHost(c.req.header("host"));
    await next();
  });
  app.get("/health", (c) => c.json(deps.health()));
  app.route("/api/webhooks", createWebhooks(deps, guard));
  app.route("/api/v1", createApi(deps, guard));
  app.get("/metrics", createMetrics(deps, guard));
  app.all("/mcp", createMcpDoor(deps, guard));
  app.route("/", createPage());
  app.route("/", createReference(guard));
  app.notFound(() => {
    throw new HubError("not_found", "Not found");
  });
  app.onError((error, c) =>
    /^\/(?:api\/v1|mcp)(?:\/|$)/.test(c.req.path)
      ? apiFailure(c, error, deps)
      : webhookFailure(c, error, deps),
  );
  return app;
}
