import { resolve } from "node:path";

/** The runner that is installed beside the hub. */
export function bundledRunner(): string {
  return resolve(import.meta.dirname, "../../dist/runner.mjs");
}
