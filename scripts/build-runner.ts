// Bundles the runner to the one file that is started in every sandbox.
import { build } from "esbuild";

await build({
  entryPoints: ["src/runner/main.ts"],
  outfile: "dist/runner.mjs",
  bundle: true,
  platform: "node",
  target: "node24",
  format: "esm",
  minifySyntax: true,
  logLevel: "warning",
});
