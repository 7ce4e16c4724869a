import { once } from "node:events";
import { readdir } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { expect, inject, test } from "vitest";
import { askDoctor, startEngineProxyCommand } from "../kit/hub/doctor.ts";
import { findEngine } from "../kit/runtimes/engine.ts";
import { MODEL_KEY, openHouse, session } from "../kit/hub/house.ts";
import { standIn, standInAgentPath } from "../kit/agent/stand-in.ts";
import { createTempDir } from "../kit/temp-dir.ts";
import { waitFor } from "../kit/wait.ts";

const { engines, reason } = await findEngine(inject("engineDir"));
const KEYS = { ANTHROPIC_API_KEY: MODEL_KEY, GITHUB_TOKEN: "token-of-the-forge" };

async function listen() {
  const server = createServer((socket) => socket.destroy());
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("it listens on a port");
  return {
    place: `127.0.0.1:${address.port}`,
    async [Symbol.asyncDispose]() {
      const closed = once(server, "close");
      server.close();
      await closed;
    },
  };
}

test("beside a hub at work: all is well, sessions are not disturbed, nothing is left", async () => {
  await using house = await openHouse({ runtime: "bubblewrap", embedded: true });
  await using outside = await listen();
  const { hub } = house;
  const made = await hub.create(session(`Wait.\n${standIn({ sleepMs: 6_000 })}`));
  await hub.start(made.id);
  await hub.until(made.id, { statuses: ["running"] });
  const doctor = await askDoctor({
    dir: hub.dir,
    env: { ...KEYS, CLAUDE_HUB_RUNTIME: "bubblewrap" },
    args: ["--json", "--reach", outside.place],
  });
  expect(doctor.errors).toBe("");
  const findings = doctor.findings();
  for (const check of ["settings", "git", "database", "clock", "runtime", "rights", "files"])
    expect(findings[check]).toMatchObject({ state: "ok", mend: null });
  expect(findings["database"]?.found).toMatch(/^the hub's own PostgreSQL 18.*schema up to date$/);
  expect(findings["network"]).toMatchObject({ state: "ok" });
  expect(findings["network"]?.found).toContain(outside.place);
  expect(findings["secrets"]?.found).toBe("none of the hub's 2 secrets can be read inside");
  expect(findings["image"]?.found).toContain("Claude Code");
  expect(doctor.exitCode).toBe(0);
  expect(await hub.until(made.id)).toMatchObject({ status: "completed" });
  expect(hub.output()).not.toContain("left-over");
  expect(await readdir(join(hub.dir, "doctor"))).toEqual([]);
  expect(await readdir(join(hub.dir, "gateway"))).toEqual(["hub.sock"]);
});

test("a runtime that isolates nothing is found out, and by what", async () => {
  await using temp = await createTempDir("doctor");
  await using outside = await listen();
  const env = { ...KEYS, CLAUDE_HUB_RUNTIME: "process", CLAUDE_CODE_PATH: standInAgentPath };
  const args = ["--json", "--reach", outside.place];
  const doctor = await askDoctor({ dir: temp.path, env, args });
  const findings = doctor.findings();
  expect(doctor.exitCode).toBe(1);
  for (const check of ["runtime", "rights", "network", "secrets"])
    expect(findings[check]?.state).toBe("failed");
  expect(findings["network"]?.found).toContain(`${outside.place} and 127.0.0.1:`);
  expect(findings["network"]?.found).toContain("an abstract socket of the machine");
  // It is told that there is one, and not which.
  for (const secret of Object.values(KEYS)) expect(doctor.output).not.toContain(secret);
});

test.each([
  {
    what: "a wrong setting",
    env: { PORT: "many" },
    check: "settings",
    found: /PORT/,
    mend: /configuration\.md/,
  },
  {
    what: "a database that is away",
    env: { DATABASE_URL: "postgresql://hub:password-of-the-database@127.0.0.1:1/hub" },
    check: "database",
    found: /^it cannot be used/,
    mend: /psql/,
  },
  {
    what: "no container engine",
    env: { CLAUDE_HUB_RUNTIME: "docker", DOCKER_HOST: "unix:///nowhere/engine.sock" },
    check: "runtime",
    found: /no container engine listens/,
    mend: /systemctl start docker/,
  },
  {
    what: "no git",
    env: { PATH: "/nowhere" },
    check: "git",
    found: /not installed/,
    mend: /apt install git/,
  },
  {
    what: "no key for the model",
    env: { ANTHROPIC_API_KEY: "" },
    check: "model",
    found: /ANTHROPIC_API_KEY is not set/,
    mend: /npm run auth/,
  },
])("$what is told, with what mends it", async ({ env, check, found, mend }) => {
  await using temp = await createTempDir("doctor");
  const usual = { CLAUDE_HUB_RUNTIME: "process", CLAUDE_CODE_PATH: standInAgentPath };
  const doctor = await askDoctor({ dir: temp.path, env: { ...usual, ...KEYS, ...env } });
  const finding = doctor.findings()[check];
  expect(finding).toMatchObject({ state: "failed" });
  expect(finding?.found).toMatch(found);
  expect(finding?.mend).toMatch(mend);
  expect(doctor.exitCode).toBe(1);
  expect(doctor.output + doctor.errors).not.toContain("password-of-the-database");
});

test("the table is for people; an address that is none is refused", async () => {
  await using temp = await createTempDir("doctor");
  const env = { ...KEYS, CLAUDE_HUB_RUNTIME: "docker", DOCKER_HOST: "unix:///nowhere/a.sock" };
  const doctor = await askDoctor({ dir: temp.path, env, args: [] });
  expect(doctor.output).toMatch(/^ok {7}node +Node\.js v/);
  expect(doctor.output).toMatch(/^FAILED {3}runtime .*\n +→ systemctl start docker$/m);
  const wrong = await askDoctor({ dir: temp.path, env, args: ["--reach", "somewhere"] });
  expect(wrong).toMatchObject({ exitCode: 2, errors: expect.stringContaining("has no port") });
});

test("one that is interrupted leaves nothing", async () => {
  await using temp = await createTempDir("doctor");
  const sandboxes = join(temp.path, "doctor");
  const doctor = await askDoctor({
    dir: temp.path,
    env: { ...KEYS, CLAUDE_HUB_RUNTIME: "bubblewrap" },
    async meanwhile(pid) {
      await waitFor(
        async () => (await readdir(sandboxes)).some((name) => name.startsWith("claude-hub-probe")),
        { intervalMs: 1 },
      );
      process.kill(pid, "SIGINT");
    },
  });
  expect(doctor.exitCode).toBe(2);
  expect(await readdir(sandboxes)).toEqual([]);
});

test.skipIf(reason !== null)(
  `containers are looked at from inside (skipped where no container engine can be started: ${reason ?? ""})`,
  async () => {
    expect(engines).not.toEqual([]);
    for (const engine of engines) {
      await using house = await openHouse({ runtime: "docker", engine });
      const { hub } = house;
      const env = {
        ...KEYS,
        CLAUDE_HUB_RUNTIME: "docker",
        CLAUDE_CODE_PATH: standInAgentPath,
        DOCKER_HOST: engine.address,
        CLAUDE_CONTAINER_IMAGE: engine.image,
      };
      const doctor = await askDoctor({ dir: hub.dir, env });
      const findings = doctor.findings();
      for (const check of ["runtime", "limits", "rights", "files", "network", "secrets", "image"])
        expect(findings[check]).toMatchObject({ state: "ok" });
      expect(doctor.exitCode).toBe(0);
      expect(hub.output()).not.toContain("left-over");
      const label = ["claude-hub.doctor"];
      const left = await engine.client.listContainers({ all: true, filters: { label } });
      expect(left).toEqual([]);
      const other = { ...env, CLAUDE_CONTAINER_IMAGE: "nobody/has-this:1" };
      const missing = (await askDoctor({ dir: hub.dir, env: other })).findings();
      expect(missing["runtime"]).toMatchObject({ state: "failed", mend: "npm run image" });
    }
  },
);

test.each(engines)("behind the engine's proxy it looks at the same", async (engine) => {
  await using temp = await createTempDir("doctor");
  const [dir, socket] = [join(temp.path, "hub"), join(temp.path, "proxy.sock")];
  const shared = {
    CLAUDE_CODE_PATH: standInAgentPath,
    CLAUDE_CONTAINER_IMAGE: engine.image,
    CLAUDE_CONTAINER_MEMORY_LIMIT: "1g",
  };
  const own = engine.address.replace("unix://", "");
  await using _proxy = await startEngineProxyCommand({
    dir,
    listen: socket,
    engine: own,
    env: shared,
  });
  const env = { ...KEYS, ...shared, CLAUDE_HUB_RUNTIME: "docker", DOCKER_HOST: `unix://${socket}` };
  const doctor = await askDoctor({ dir, env });
  expect(doctor.findings()["runtime"]).toMatchObject({ state: "ok" });
  expect(doctor.findings()["rights"]).toMatchObject({ state: "ok" });
  expect(doctor.exitCode).toBe(0);
});
