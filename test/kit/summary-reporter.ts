import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Reporter, TestModule } from "vitest/node";
import { ALLOWED_SKIPS } from "../allowed-skips.ts";

/** Read by the CI script, which prints it as its last line. */
const SUMMARY = join(import.meta.dirname, "../../node_modules/.cache/test-summary");

/** Counts tests, and fails a run in CI that skipped one without a written reason. */
export default class SummaryReporter implements Reporter {
  onTestRunStart(): void {
    rmSync(SUMMARY, { force: true });
  }

  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const count = { passed: 0, failed: errors.length, skipped: 0 };
    const unexplained: string[] = [];
    for (const module of modules) {
      if (module.state() === "failed" && module.children.size === 0) count.failed += 1;
      for (const test of module.children.allTests()) {
        const state = test.result().state;
        if (state === "passed" || state === "failed") count[state] += 1;
        else {
          count.skipped += 1;
          const known = ALLOWED_SKIPS.some((allowed) => test.fullName.includes(allowed.test));
          if (!known) unexplained.push(test.fullName);
        }
      }
    }
    if (process.env["CI"] === "true" && unexplained.length > 0) {
      process.stderr.write(
        `skipped without a reason in test/allowed-skips.ts:\n  ${unexplained.join("\n  ")}\n`,
      );
      count.failed += unexplained.length;
      process.exitCode = 1;
    }
    mkdirSync(dirname(SUMMARY), { recursive: true });
    writeFileSync(SUMMARY, `${count.passed} passed, ${count.failed} failed\n`);
  }
}
