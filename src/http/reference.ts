import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { Hono } from "hono";
import { HubError, notFound } from "../core/errors.ts";
import { apiDocument } from "./api/document.ts";
import type { Guard } from "./auth.ts";
import type { HttpEnv } from "./deps.ts";

const ASSETS: Record<string, string> = {
  "swagger-ui.css": "text/css; charset=utf-8",
  "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
};

/** Nothing is loaded from elsewhere; Swagger UI writes styles into its elements. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Claude Hub API</title>
<link rel="stylesheet" href="/docs/swagger-ui.css">
<div id="page"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</html>
`;
/** By its whole address: where the page's own address carries a password, a browser refuses to fetch a relative one. */
const START = `SwaggerUIBundle({ url: location.origin + "/openapi.json", dom_id: "#page" });\n`;

/**
 * The interactive reference and the document that it shows. A browser is asked for the secret as a password; what is
 * tried out on the page wants it once more, as the bearer ("Authorize").
 */
export function createReference(guard: Guard): Hono<HttpEnv> {
  const document = apiDocument();
  const dir = dirname(createRequire(import.meta.url).resolve("swagger-ui-dist/package.json"));

  const app = new Hono<HttpEnv>();
  for (const path of ["/docs", "/docs/*", "/openapi.json"])
    app.use(path, async (c, next) => {
      try {
        await guard.browser(c);
      } catch (error) {
        if (!(error instanceof HubError) || error.code !== "unauthorized") throw error;
        return c.text("Sign in with any name, and CLAUDE_WEBHOOK_SECRET as the password.\n", 401, {
          "WWW-Authenticate": 'Basic realm="Claude Hub", charset="UTF-8"',
        });
      }
      c.env.outgoing.setHeader("Content-Security-Policy", POLICY);
      await next();
      return undefined;
    });
  return app
    .get("/openapi.json", (c) => c.body(document, 200, { "content-type": "application/json" }))
    .get("/docs", (c) => c.html(PAGE))
    .get("/docs/start.js", (c) => c.body(START, 200, { "content-type": "text/javascript" }))
    .get("/docs/:asset", async (c) => {
      const name = c.req.param("asset");
      const type = Object.hasOwn(ASSETS, name) ? ASSETS[name] : undefined;
      if (type === undefined) throw notFound("Page");
      return c.body(await readFile(join(dir, name), "utf8"), 200, { "content-type": type });
    });
}
