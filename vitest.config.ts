import { defineConfig } from "vitest/config";
import { SlowFirst } from "./test/kit/slow-first.ts";

export default defineConfig({
  test: {
    include: ["src/**/*.test.ts", "test/**/*.test.ts"],
    globalSetup: ["test/kit/global-setup.ts"],
    reporters: ["default", "./test/kit/summary-reporter.ts"],
    // Most files wait for other processes most of the time: one more than the two cores that there are at the least.
    maxWorkers: 3,
    sequence: { sequencer: SlowFirst },
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
