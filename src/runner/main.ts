import { bootFrom, takeLock } from "./boot.ts";
import { runSession } from "./session.ts";

/** Another runner has this sandbox. */
const LOCKED = 75;

const boot = await bootFrom(process.stdin);
if (!(await takeLock(boot.spoolDir))) process.exit(LOCKED);
try {
  await runSession(boot, process.env["PATH"] ?? "/usr/bin:/bin");
  process.exit(0);
} catch (error) {
  // Kept by the runtime, and shown when there is no result.
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
