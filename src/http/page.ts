import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Hono } from "hono";
import { notFound } from "../core/errors.ts";
import type { HttpContext, HttpEnv } from "./deps.ts";

/** Made of `web/` when the hub is built. */
const DIR = join(import.meta.dirname, "../../dist/web/questions");
const TYPES: Record<string, string> = {
  "page.html": "text/html; charset=utf-8",
  "page.css": "text/css; charset=utf-8",
  "page.js": "text/javascript; charset=utf-8",
};
/** Nothing is loaded from elsewhere, told to anybody else, or made of text; no page of others holds this one. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

/**
 * The page on which people answer what sessions ask. It is the same for everybody and says nothing: whoever opens it
 * shows a token to the API.
 */
export function createPage(): Hono<HttpEnv> {
  return new Hono<HttpEnv>()
    .get("/questions", (c) => serve(c, "page.html"))
    .get("/questions/:asset", (c) => serve(c, c.req.param("asset")));
}

async function serve(c: HttpContext, name: string): Promise<Response> {
  const type = Object.hasOwn(TYPES, name) ? TYPES[name] : undefined;
  if (type === undefined) throw notFound("Page");
  c.env.outgoing.setHeader("Content-Security-Policy", POLICY);
  return c.body(await readFile(join(DIR, name), "utf8"), 200, { "content-type": type });
}
