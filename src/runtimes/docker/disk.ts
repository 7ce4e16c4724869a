import { isStatus } from "./failure.ts";
import type { Engine } from "./engine.ts";

const EVERY_MS = 30_000;
/** Measuring costs the engine a walk over its volumes: it may take a tenth of the time. */
const REST = 10;

/** Keeps what sandboxes have on disk within a limit: by a quota where the engine has them, else by measuring. */
export interface DiskLimit {
  makeVolume(name: string, labels: Record<string, string>): Promise<void>;
  /** Whether the engine itself holds the limit; null: not known yet. */
  quota(): boolean | null;
  /** Bytes that a sandbox is over the limit by measure; 0 when it keeps to it. */
  excess(name: string): Promise<number>;
  /** Begins to measure when it is time for it; `over` is told which sandboxes keep more than they may. */
  watch(names: string[], over: (name: string) => Promise<void>): Promise<void>;
}

export function createDiskLimit(engine: Engine, limitBytes: number): DiskLimit {
  let quota: boolean | null = null;
  let nextAt = 0;
  let measuring: Promise<void> | null = null;
  let failure: unknown = null;

  async function measure(names: string[], over: (name: string) => Promise<void>): Promise<void> {
    const startedAt = performance.now();
    try {
      const sizes = await engine.volumeSizes();
      for (const name of names) if ((sizes.get(name) ?? 0) > limitBytes) await over(name);
    } catch (error) {
      failure = error;
    } finally {
      const tookMs = performance.now() - startedAt;
      nextAt = performance.now() + Math.max(EVERY_MS, REST * tookMs);
      measuring = null;
    }
  }

  return {
    quota: () => quota,
    async makeVolume(name, labels) {
      if (quota !== false)
        try {
          await engine.createVolume(name, labels, limitBytes);
          quota = true;
          return;
        } catch (error) {
          // Only some file systems have quotas for directories, and engines tell by refusing.
          if (!isStatus(error, 400, 500)) throw error;
        }
      await engine.createVolume(name, labels);
      quota = false;
    },
    async excess(name) {
      if (quota === true) return 0;
      return Math.max(0, ((await engine.volumeSizes()).get(name) ?? 0) - limitBytes);
    },
    async watch(names, over) {
      if (failure !== null) {
        const error = failure;
        failure = null;
        throw error;
      }
      // A hub that was restarted does not know yet what its sandboxes stand on.
      if (quota === true || names.length === 0 || performance.now() < nextAt) return;
      measuring ??= measure(names, over);
    },
  };
}
