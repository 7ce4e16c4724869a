#!/usr/bin/env node
const [major = 0] = process.versions.node.split(".").map(Number);
if (major < 24) {
  console.error(`Claude Hub needs Node.js 24 or newer, this is ${process.versions.node}.`);
  process.exit(1);
}
// After the check: what follows uses the syntax of newer versions.
const { run } = await import("./cli/cli.ts");
await run(process.argv);
