import { namesRegistry } from "../../core/repository-settings.ts";
import type { SandboxReport } from "../runtime.ts";
import type { Engine, Image } from "./engine.ts";
import { imageMissing } from "./failure.ts";

const REPORT_EVERY_MS = 5_000;

/** Sees to it that images are there. */
export interface Images {
  /** Fetches one that is missing, if its name says from which registry; whoever wants the same one shares that. */
  provide(name: string, report: SandboxReport): Promise<Image>;
}

/** Bytes so far and in all, as far as they are known by then. */
interface Progress {
  bytes: number;
  totalBytes: number;
}

interface Pull {
  done: Promise<void>;
  progress: Progress;
}

export function createImages(engine: Engine): Images {
  const pulls = new Map<string, Pull>();

  function begin(name: string): Pull {
    const layers = new Map<string, Progress>();
    const pull: Pull = { progress: { bytes: 0, totalBytes: 0 }, done: Promise.resolve() };
    pull.done = engine
      .pull(name, (layer, bytes, totalBytes) => {
        layers.set(layer, { bytes, totalBytes });
        const all = [...layers.values()];
        pull.progress.bytes = all.reduce((sum, one) => sum + one.bytes, 0);
        pull.progress.totalBytes = all.reduce((sum, one) => sum + one.totalBytes, 0);
      })
      .finally(() => pulls.delete(name));
    pulls.set(name, pull);
    return pull;
  }

  return {
    async provide(name, report) {
      const found = await engine.image(name);
      if (found !== null) return found;
      // A name without a registry would be looked for where anybody may have taken it.
      if (!namesRegistry(name)) throw new Error(imageMissing(name));
      const startedAt = performance.now();
      const pull = pulls.get(name) ?? begin(name);
      const tell = () => report("image.pulling", { image: name, ...pull.progress });
      tell();
      const timer = setInterval(tell, REPORT_EVERY_MS);
      try {
        await pull.done;
      } finally {
        clearInterval(timer);
      }
      const image = await engine.image(name);
      if (image === null) throw new Error(imageMissing(name));
      const durationMs = Math.round(performance.now() - startedAt);
      report("image.pulled", { image: name, durationMs });
      return image;
    },
  };
}
