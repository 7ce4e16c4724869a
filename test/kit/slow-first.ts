import { relative } from "node:path";
import { BaseSequencer } from "vitest/node";
import type { TestSpecification } from "vitest/node";

/** Files that take minutes: begun late, each of them would keep the whole run waiting for itself. */
const SLOW = [
  "test/recovery/hub.test.ts",
  "test/recovery/github.test.ts",
  "test/podman.test.ts",
  "test/containers.test.ts",
  "test/e2e/image.test.ts",
  "test/e2e/github-faults.test.ts",
  "test/e2e/prepared.test.ts",
  "test/security/exhaustion.test.ts",
];

/** Begins with the slow files; the others come in their usual order. */
export class SlowFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const at = SLOW.indexOf(relative(this.ctx.config.root, moduleId));
      return at === -1 ? SLOW.length : at;
    };
    const usual = await BaseSequencer.prototype.sort.call(this, files);
    return usual.toSorted((one, other) => rank(one) - rank(other));
  }
}
