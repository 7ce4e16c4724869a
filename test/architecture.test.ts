import { readdir, readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { expect, test } from "vitest";

const SRC = join(import.meta.dirname, "../src");

/** What each room may import, besides itself. Rooms of one tier do not see each other. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  core: [],
  config: ["core"],
  store: ["core"],
  events: ["core", "config", "store"],
  agents: ["core", "config", "store"],
  runtimes: ["core", "config", "store"],
  forge: ["core", "config", "store"],
  sessions: ["core", "config", "store", "events", "agents", "runtimes"],
  gateway: ["core", "config", "store", "events", "agents", "runtimes", "sessions"],
  engine: ["core", "config", "store", "events", "agents", "runtimes", "sessions"],
  triggers: ["core", "config", "store", "events", "forge", "sessions"],
  orchestration: ["core", "config", "store", "events", "sessions", "gateway", "engine"],
  notify: ["core", "config", "store", "events", "sessions", "gateway"],
  http: ["core", "config", "store", "events", "sessions", "orchestration"],
  mcp: ["core", "config", "store", "events", "sessions", "orchestration"],
  "engine-proxy": ["core", "config"],
  doctor: ["core", "config", "store", "runtimes", "gateway"],
  client: ["core"],
  cli: ["core", "client"],
  runner: ["core", "agents"],
};

/** Edges that the table does not allow, each with its reason. */
const EXCEPTIONS = new Set([
  "main.ts -> cli", // the bin hands its arguments over
  "cli/serve.ts -> app", // the one command that is the hub itself
  "cli/serve.ts -> config",
  "cli/connection/connect.ts -> config", // which hub, and by which token
  "cli/connection/connect.ts -> store", // whether the hub of a data directory lives
  "cli/connection/login.ts -> config",
  "cli/sessions/start.ts -> config", // whose a repository is that names no owner
  "cli/sessions/list.ts -> config",
  "cli/batch/batch.ts -> config",
  "cli/plans/propose.ts -> config",
  "cli/plans/edit.ts -> config", // what opens a file
  "cli/auth/auth.ts -> config", // sets the hub up, and tries what it has set up
  "cli/auth/ways.ts -> config",
  "cli/agent-path.ts -> config",
  "cli/auth/auth.ts -> gateway",
  "cli/auth/auth.test.ts -> config",
  "cli/doctor.ts -> config", // looks at this machine, not at a hub
  "cli/doctor.ts -> doctor",
  "cli/finding-line.ts -> doctor",
  "cli/github/setup.ts -> config", // makes the hub's account at the forge, and looks at it
  "cli/github/setup.ts -> forge",
  "cli/github/common.ts -> config",
  "cli/github/setup-token.ts -> config",
  "cli/github/setup-token.ts -> forge",
  "cli/github/status.ts -> config",
  "cli/github/status.ts -> doctor",
  "cli/github/status.ts -> forge",
  "cli/engine-proxy.ts -> config", // a program of its own, which the hub never imports
  "cli/engine-proxy.ts -> engine-proxy",
  "cli/engine-proxy.ts -> runtimes", // the hub's labels, and places in its containers
]);

/** The composition root, in four files, builds everything. */
const ROOTS = ["app", "bot", "front", "orchestrating"];

interface Edge {
  file: string;
  room: string;
  target: string;
  typeOnly: boolean;
}

async function edges(): Promise<Edge[]> {
  const files = (await readdir(SRC, { recursive: true })).filter((name) => name.endsWith(".ts"));
  const found = await Promise.all(
    files.map(async (file) => {
      const text = await readFile(join(SRC, file), "utf8");
      return [...text.matchAll(/(import|export)( type)?[^;]*?from "(\.[^"]+)"/g)].map((match) => ({
        file,
        room: roomOf(file),
        target: roomOf(relative(SRC, join(SRC, file, "..", match[3] ?? ""))),
        typeOnly: match[2] !== undefined,
      }));
    }),
  );
  return found.flat();
}

function roomOf(file: string): string {
  const [first = "", ...rest] = file.split("/");
  return rest.length === 0 ? first.replace(/\.ts$/, "") : first;
}

test("imports run one way", async () => {
  const wrong = (await edges()).filter(({ file, room, target, typeOnly }) => {
    if (room === target || ROOTS.includes(room) || target.startsWith("..")) return false;
    if (MAY_IMPORT[room]?.includes(target) === true) return false;
    // The client's types come from the routes themselves; nothing of them is there when it runs.
    if (room === "client" && target === "http" && typeOnly) return false;
    return !EXCEPTIONS.has(`${file} -> ${target}`);
  });
  expect(wrong.map(({ file, target }) => `${file} -> ${target}`)).toEqual([]);
});

test("pages see the client and the core alone", async () => {
  const dir = join(SRC, "../web");
  const files = (await readdir(dir, { recursive: true })).filter((name) => name.endsWith(".ts"));
  const targets: string[] = [];
  for (const file of files)
    for (const [, path = ""] of (await readFile(join(dir, file), "utf8")).matchAll(
      / from "([^"]+)"/g,
    ))
      targets.push(relative(join(SRC, ".."), join(dir, file, "..", path)));
  expect(targets.length).toBeGreaterThan(3);
  expect(targets.filter((path) => !/^(web|src\/client|src\/core)\//.test(path))).toEqual([]);
});

test("the table names rooms that exist", async () => {
  const rooms = new Set((await edges()).map(({ room }) => room));
  expect(Object.keys(MAY_IMPORT).filter((room) => !rooms.has(room))).toEqual([]);
});

test("only the engine imports DBOS", async () => {
  const files = (await readdir(SRC, { recursive: true })).filter((name) => name.endsWith(".ts"));
  const users: string[] = [];
  for (const file of files)
    if ((await readFile(join(SRC, file), "utf8")).includes("@dbos-inc/")) users.push(file);
  expect(users.filter((file) => roomOf(file) !== "engine")).toEqual([]);
});

/** Another program, which is told where programs are. */
const OWN_ENVIRONMENT = ["runner/main.ts"];

test("only configuration reads the environment", async () => {
  const files = (await readdir(SRC, { recursive: true })).filter(
    (name) => name.endsWith(".ts") && !name.endsWith(".test.ts"),
  );
  const users: string[] = [];
  for (const file of files)
    if ((await readFile(join(SRC, file), "utf8")).includes("process.env")) users.push(file);
  const strangers = users.filter((file) => roomOf(file) !== "config");
  expect(strangers).toEqual(OWN_ENVIRONMENT);
});

test("no file is a barrel", async () => {
  const files = (await readdir(SRC, { recursive: true })).filter((name) => name.endsWith(".ts"));
  const barrels: string[] = [];
  for (const file of files)
    if (/^export (\*|\{[^}]*\}) from/m.test(await readFile(join(SRC, file), "utf8")))
      barrels.push(file);
  expect(barrels).toEqual([]);
});
