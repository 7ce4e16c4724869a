// Holds what a hub holds, in a process that tests can kill. Says `held <what>` or `refused <why>`; SIGTERM lets go.
import pino from "pino";
import { openDataDir } from "../../../src/store/data-dir/data-dir.ts";
import { startEmbeddedDatabase } from "../../../src/store/embedded/embedded.ts";

const [what, path = ""] = process.argv.slice(2);
const log = pino({ level: "silent" });

try {
  const held =
    what === "database" ? await startEmbeddedDatabase({ dir: path, log }) : await openDataDir(path);
  process.on("SIGTERM", () => void held[Symbol.asyncDispose]().then(() => process.exit(0)));
  setInterval(() => undefined, 60_000);
  process.stdout.write(`held ${held.url ?? held.path}\n`);
} catch (error) {
  process.stdout.write(`refused ${error.message}\n`);
}
