// Stands in for the runner in tests of runtimes: keeps the runner's rules (boot line, lock, exit code 75) and then does
// what it is asked. An ask is a module in the workspace, `ask-<n>.mjs`; what its default export returns goes into
// `answer-<n>.json`.
import { once } from "node:events";
import { appendFile, readdir, rename, writeFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { pathToFileURL } from "node:url";

const [line] = await once(createInterface({ input: process.stdin }), "line");
const boot = JSON.parse(line);

if ((await readdir(boot.workspaceDir)).includes("break")) {
  console.log("broken before the lock");
  process.exit(70);
}
try {
  await writeFile(join(boot.spoolDir, "runner.lock"), `${process.pid}\n`, { flag: "wx" });
} catch (error) {
  if (error.code !== "EEXIST") throw error;
  process.exit(75);
}
await appendFile(join(boot.spoolDir, "started"), `${process.pid}\n`);
console.log("fake runner started");

const seen = new Set();
for (;;) {
  for (const file of await readdir(boot.workspaceDir)) {
    const number = /^ask-(\d+)\.mjs$/.exec(file)?.[1];
    if (number === undefined || seen.has(number)) continue;
    seen.add(number);
    void answer(number);
  }
  await pause(5);
}

async function answer(number) {
  const path = join(boot.workspaceDir, `answer-${number}.json`);
  let reply;
  try {
    const ask = await import(pathToFileURL(join(boot.workspaceDir, `ask-${number}.mjs`)));
    reply = { value: (await ask.default(boot)) ?? null };
  } catch (error) {
    reply = { error: String(error) };
  }
  await writeFile(`${path}.part`, JSON.stringify(reply));
  await rename(`${path}.part`, path);
}
