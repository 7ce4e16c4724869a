import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { build } from "esbuild";
import type { Plugin } from "esbuild";

const root = join(import.meta.dirname, "..");

/**
 * An import of `node:http` reads all that it exports, and some of it loads a whole client on being read: 25 ms of
 * every start of a sandbox. What is taken by name loads nothing else.
 */
const lazyHttp: Plugin = {
  name: "lazy-http",
  setup(builder) {
    builder.onResolve({ filter: /^node:http$/ }, ({ path }) => ({ path, namespace: "lazy-http" }));
    builder.onLoad({ filter: /.*/, namespace: "lazy-http" }, () => ({
      contents: `const http = process.getBuiltinModule("node:http");
        export const Agent = http.Agent, createServer = http.createServer, request = http.request;`,
    }));
  },
};

/** By this way of importing it, the three quarters of zod that the runner does not use are left out. */
const slimZod: Plugin = {
  name: "slim-zod",
  setup(builder) {
    builder.onLoad({ filter: /src\/.*\.ts$/ }, async ({ path }) => ({
      contents: (await readFile(path, "utf8")).replace(
        'import { z } from "zod";',
        'import * as z from "zod";',
      ),
      loader: "ts",
    }));
  },
};

// The page that a browser shows, as it is served.
await build({
  entryPoints: ["page.html", "page.css", "page.ts"].map((name) =>
    join(root, "web/questions", name),
  ),
  outdir: join(root, "dist/web/questions"),
  bundle: true,
  platform: "browser",
  target: "es2024",
  format: "esm",
  minifySyntax: true,
  minifyWhitespace: true,
  logLevel: "warning",
  loader: { ".html": "copy" },
});

// The program inside of sandboxes: one file that needs nothing but Node.js.
await build({
  entryPoints: [join(root, "src/runner/main.ts")],
  outfile: join(root, "dist/runner.mjs"),
  bundle: true,
  platform: "node",
  target: "node24",
  format: "esm",
  minifySyntax: true,
  minifyWhitespace: true,
  logLevel: "warning",
  plugins: [lazyHttp, slimZod],
});
