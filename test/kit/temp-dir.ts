import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface TempDir extends AsyncDisposable {
  path: string;
}

/** A directory of one's own, deleted with all it holds: `await using dir = await createTempDir()`. */
export async function createTempDir(label = "test"): Promise<TempDir> {
  const path = await mkdtemp(join(tmpdir(), `claude-hub-${label}-`));
  return {
    path,
    async [Symbol.asyncDispose]() {
      // A process that is just ending may still write: try again rather than fail.
      await rm(path, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
    },
  };
}
