import { OpenAPIHono } from "@hono/zod-openapi";
import * as deliveryRoutes from "./delivery-routes.ts";
import * as noticeRoutes from "./notice-routes.ts";
import * as orchestrationRoutes from "./orchestration-routes.ts";
import * as sessionRoutes from "./routes.ts";
import { scopeOf } from "./scopes.ts";
import * as talkRoutes from "./talk-routes.ts";
import * as tokenRoutes from "./token-routes.ts";

const routes = {
  ...sessionRoutes,
  ...talkRoutes,
  ...deliveryRoutes,
  ...noticeRoutes,
  ...orchestrationRoutes,
  ...tokenRoutes,
};
type Route = (typeof routes)[keyof typeof routes];

/** The OpenAPI document of /api/v1, made from the routes that are served. */
export function apiDocument(): string {
  const app = new OpenAPIHono();
  app.openAPIRegistry.registerComponent("securitySchemes", "bearer", {
    type: "http",
    scheme: "bearer",
    description:
      "CLAUDE_WEBHOOK_SECRET, or a token with the scope that is named (read, write or admin).",
  });
  for (const route of Object.values(routes).toSorted(byPath))
    app.openAPIRegistry.registerPath({
      ...route,
      security: [{ bearer: [scopeOf(route.method, route.path)] }],
    });
  const document = app.getOpenAPI31Document({
    openapi: "3.1.0",
    info: { title: "Claude Hub", version: "1", description: "Sessions of coding agents." },
    servers: [{ url: "/api/v1" }],
  });
  return `${JSON.stringify(document, null, 2)}\n`;
}

/** Whoever loads a module decides in which order it shows its exports. */
function byPath(one: Route, other: Route): number {
  const [first, second] = [one, other].map(({ path, method }) => `${path} ${method}`);
  return (first ?? "") < (second ?? "") ? -1 : 1;
}
