import { request } from "node:http";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { describe, expect, inject, test } from "vitest";
import { z } from "zod";
import { containerOptions } from "../../src/runtimes/docker/confinement.ts";
import { OWNER, ownerOfHub } from "../../src/runtimes/docker/labels.ts";
import { packArchive } from "../../src/runtimes/docker/archive.ts";
import { openEngineProxy } from "../kit/engine-proxy.ts";
import { findEngine } from "../kit/engine.ts";
import type { TestEngine } from "../kit/engine.ts";
import { createRuntimePlace } from "../kit/runtime-place.ts";

const { engines, reason } = await findEngine(inject("engineDir"));
const LIMITS = { memoryBytes: 268_435_456, processes: 64 };
const USER = { uid: 1_000, gid: 1_000 };

test.skipIf(reason !== null)(
  `the proxy has an engine (skipped where no container engine can be started: ${reason ?? ""})`,
  () => {
    expect(reason).toBeNull();
  },
);

/** A hub that has been taken over: it has the proxy's socket, and says what it likes. */
async function openAttack(engine: TestEngine) {
  const place = await createRuntimePlace({ engine });
  const proxy = await openEngineProxy(engine, place.host);
  const owner = ownerOfHub(place.host.containers.hubId);
  const { name } = place.spec();
  const labels = { [OWNER]: owner };
  const body = JSON.stringify(
    containerOptions(place.host, LIMITS, {
      command: ["node", "-e", "setInterval(() => {}, 1000)"],
      user: "agent",
      labels,
      volume: name,
      marks: {},
    }),
  );

  const { socketPath } = proxy;
  return {
    socketPath,
    name,
    owner,
    body,
    fresh: () => z.record(z.string(), z.unknown()).parse(JSON.parse(body)),
    async ask(method: string, path: string, sent?: string | Buffer, headers = {}) {
      return await new Promise<{ status: number; said: string }>((resolve, reject) => {
        const asked = request({ socketPath, method, path, headers, agent: false }, (answer) => {
          text(answer).then((said) => resolve({ status: answer.statusCode ?? 0, said }), reject);
        });
        // One that is refused in the middle of a body is cut off.
        asked.on("error", reject);
        asked.end(sent);
      });
    },
    /** Bytes as they are, and all that comes back until the other side ends. */
    async raw(bytes: string): Promise<string> {
      const socket = connect({ path: socketPath });
      socket.write(bytes);
      return await text(socket);
    },
    async make(): Promise<string> {
      await engine.makeVolume(name, owner);
      const { status, said } = await this.ask("POST", `/containers/create?name=${name}`, body);
      expect([status, said]).toEqual([201, expect.stringContaining("Id")]);
      return z.object({ Id: z.string() }).parse(JSON.parse(said)).Id;
    },
    async [Symbol.asyncDispose]() {
      await engine.removeAllOf(owner);
      await proxy[Symbol.asyncDispose]();
      await place[Symbol.asyncDispose]();
    },
  };
}

const bind = (Source: string, more = {}) => ({
  Type: "bind",
  Source,
  Target: "/x",
  ReadOnly: true,
  ...more,
});

/** What a container would get beyond the template: in its own part, or in that of its host. */
const CONTAINERS: [string, Record<string, unknown>, Record<string, unknown>][] = [
  ["privileges", {}, { Privileged: true }],
  ["privileges by another case", {}, { privileged: true }],
  ["privileges by another case of the part", { hostconfig: { Privileged: true } }, {}],
  ["a capability", {}, { CapAdd: ["SYS_ADMIN"] }],
  ["all capabilities", {}, { CapDrop: [] }],
  ["the host's root by a mount", {}, { Mounts: [bind("/")] }],
  ["the host's root by a bind", {}, { Binds: ["/:/host"] }],
  ["the engine's socket", {}, { Mounts: [bind("/var/run/docker.sock")] }],
  ["volumes of another", {}, { VolumesFrom: ["other"] }],
  ["the host's processes", {}, { PidMode: "host" }],
  ["the host's network", {}, { NetworkMode: "host" }],
  ["another's network", {}, { NetworkMode: "container:other" }],
  ["the host's ipc", {}, { IpcMode: "host" }],
  ["the host's users", {}, { UsernsMode: "host" }],
  ["the host's control groups", {}, { CgroupnsMode: "host" }],
  ["another control group", {}, { CgroupParent: "/" }],
  ["a device", {}, { Devices: [{ PathOnHost: "/dev/sda", PathInContainer: "/dev/sda" }] }],
  ["a rule for devices", {}, { DeviceCgroupRules: ["b *:* rwm"] }],
  ["no seccomp", {}, { SecurityOpt: ["no-new-privileges", "seccomp=unconfined"] }],
  ["new privileges", {}, { SecurityOpt: [] }],
  ["a system to write to", {}, { ReadonlyRootfs: false }],
  ["unmasked paths", {}, { MaskedPaths: [] }],
  ["a sysctl", {}, { Sysctls: { "kernel.core_pattern": "|/x" } }],
  ["another OCI runtime", {}, { Runtime: "other" }],
  ["more memory", {}, { Memory: 2_147_483_648, MemorySwap: 2_147_483_648 }],
  ["swap", {}, { MemorySwap: -1 }],
  ["any number of processes", {}, { PidsLimit: -1 }],
  ["a restart policy", {}, { RestartPolicy: { Name: "always" } }],
  ["a log driver", {}, { LogConfig: { Type: "syslog", Config: {} } }],
  ["a tmpfs with devices", {}, { Tmpfs: { "/tmp": "rw,dev", "/var/tmp": "rw" } }],
  ["root", { User: "root" }, {}],
  ["root by number", { User: "0:0" }, {}],
  ["a group of the machine", { User: "1000:999" }, {}],
  ["another image", { Image: "debian:bookworm-slim" }, {}],
  ["no owner", { Labels: {} }, {}],
  ["another owner", { Labels: { [OWNER]: "0123456789abcdef" } }, {}],
  ["a network beside", { NetworkingConfig: { EndpointsConfig: { bridge: {} } } }, {}],
  ["a health check", { Healthcheck: { Test: ["CMD", "x"] } }, {}],
];

const VOLUMES: [string, Record<string, unknown>][] = [
  ["a directory of the host", { DriverOpts: { type: "none", o: "bind", device: "/" } }],
  ["a directory of the host by options alone", { DriverOpts: { o: "bind,size=1", device: "/" } }],
  ["a driver", { Driver: "other" }],
  ["more than may be", { DriverOpts: { size: "99999999999999" } }],
  ["a stranger's name", { Name: "database" }],
  ["a path for a name", { Name: "../../x" }],
  ["no owner", { Labels: {} }],
];

const REQUESTS: [string, string][] = [
  ["POST", "/build"],
  ["POST", "/images/create?fromImage=x"],
  ["GET", "/images/json"],
  ["GET", "/images/debian:bookworm-slim/json"],
  ["POST", "/containers/NAME/exec"],
  ["POST", "/exec/0123/start"],
  ["POST", "/containers/NAME/update"],
  ["POST", "/containers/NAME/rename?name=x"],
  ["POST", "/containers/NAME/restart"],
  ["GET", "/containers/NAME/export"],
  ["POST", "/commit?container=NAME"],
  ["POST", "/networks/create"],
  ["POST", "/networks/host/connect"],
  ["POST", "/swarm/init"],
  ["POST", "/plugins/pull?remote=x"],
  ["POST", "/services/create"],
  ["GET", "/secrets"],
  ["POST", "/containers/prune"],
  ["POST", "/volumes/prune"],
  ["POST", "/session"],
  ["POST", "/grpc"],
  ["GET", "/containers/json"],
  ["GET", "/containers/json?all=true&filters={}"],
  ["GET", `/containers/json?filters={"label":["${OWNER}"]}`],
  ["GET", "/volumes"],
  ["GET", "/events"],
  ["GET", `/events?since=1&until=999999999999&filters={"container":["NAME"],"event":["oom"]}`],
  ["POST", "/containers/NAME/kill?signal=SIGTERM"],
  ["POST", "/containers/NAME/start?detachKeys=x"],
  ["POST", "/containers/NAME/wait?condition=not-running&condition=removed"],
  ["GET", "/containers/NAME/logs?stdout=true&follow=true&tail=1"],
  ["GET", "/containers/NAME/archive?path=/etc/shadow"],
  ["GET", "/containers/NAME/archive?path=/sandbox/spool/../../etc/shadow"],
  ["PUT", "/containers/NAME/archive?path=/"],
  ["POST", "/containers/NAME/attach?stream=1&stdin=1"],
  ["OPTIONS", "/version"],
  ["HEAD", "/version"],
  // Paths that one reader could take for another.
  ["GET", "//version"],
  ["GET", "/version/"],
  ["GET", "/./version"],
  ["GET", "/v1.41/../version"],
  ["GET", "/v1.41/v1.41/version"],
  ["GET", "/v2.0/version"],
  ["GET", "/%76ersion"],
  ["POST", "/containers/NAME%2fexec"],
  ["GET", "/containers/x/../NAME/json"],
  ["GET", "/images/..%2f..%2fcontainers/json"],
  ["GET", "http://engine/version"],
];

for (const engine of engines)
  describe("a hub that has been taken over", () => {
    test("makes no container beyond the template", async () => {
      await using at = await openAttack(engine);
      await engine.makeVolume(at.name, at.owner);
      const path = `/v1.41/containers/create?name=${at.name}`;
      for (const [what, own, host] of CONTAINERS) {
        const body = at.fresh();
        const HostConfig = { ...z.looseObject({}).parse(body["HostConfig"]), ...host };
        const sent = JSON.stringify({ ...body, HostConfig, ...own });
        const { status, said } = await at.ask("POST", path, sent);
        expect([what, status], said).toEqual([what, 403]);
      }
      expect(
        await engine.client.listContainers({ all: true, filters: { name: [at.name] } }),
      ).toEqual([]);
    });

    test("gets what was looked at, whatever it wrote", async () => {
      await using at = await openAttack(engine);
      await engine.makeVolume(at.name, at.owner);
      const path = `/containers/create?name=${at.name}`;
      const proto = at.body.replace("{", '{"__proto__":{"Privileged":true},');
      expect((await at.ask("POST", path, proto)).status).toBe(403);
      // Of doubles the last counts here; another reader may take the first, or both.
      const doubled = at.body.replace('"Privileged":false', '"Privileged":true,"Privileged":false');
      expect(doubled).not.toBe(at.body);
      expect((await at.ask("POST", path, doubled)).status).toBe(201);
      const { HostConfig } = await engine.client.getContainer(at.name).inspect();
      expect(HostConfig.Privileged).toBe(false);
      const long = JSON.stringify({ ...at.fresh(), Env: ["x".repeat(200_000)] });
      expect((await at.ask("POST", path, long)).status).toBe(413);
      expect((await at.ask("POST", path, "{")).status).toBe(400);
    });

    test("makes no volume that is more than room", async () => {
      await using at = await openAttack(engine);
      for (const [what, more] of VOLUMES) {
        const body = { Name: at.name, Labels: { [OWNER]: at.owner }, ...more };
        const { status, said } = await at.ask("POST", "/volumes/create", JSON.stringify(body));
        expect([what, status], said).toEqual([what, 403]);
      }
      expect((await at.ask("POST", `/containers/create?name=${at.name}`, at.body)).status).toBe(
        404,
      );
    });

    test("has no other request to make, and no other path to it", async () => {
      await using at = await openAttack(engine);
      await at.make();
      for (const [method, path] of REQUESTS) {
        const { status } = await at.ask(method, path.replace("NAME", at.name));
        expect([method, path, status]).toEqual([method, path, 403]);
      }
    });

    test("touches nothing of others", async () => {
      await using at = await openAttack(engine);
      const other = `${at.name}-other`;
      const stranger = await engine.client.createContainer({
        name: other,
        Image: engine.image,
        Cmd: ["sleep", "1"],
        Labels: { [OWNER]: "another hub" },
        HostConfig: { NetworkMode: "none" },
      });
      await engine.makeVolume(other, "another hub");
      try {
        for (const ref of [other, stranger.id, stranger.id.slice(0, 12)])
          for (const [method, verb] of [
            ["POST", "/start"],
            ["POST", "/kill?signal=SIGKILL"],
            ["POST", "/wait?condition=not-running"],
            ["GET", "/logs?stdout=true&tail=1"],
            ["GET", "/archive?path=/etc/passwd"],
            ["DELETE", "?force=true&v=true"],
          ]) {
            const { status } = await at.ask(method ?? "", `/containers/${ref}${verb}`);
            expect([verb, status]).toEqual([verb, 403]);
          }
        expect((await at.ask("DELETE", `/volumes/${other}`)).status).toBe(403);
        expect((await at.ask("GET", `/containers/${stranger.id}/json`)).status).toBe(403);
        // Only that the name is taken.
        const { said } = await at.ask("GET", `/containers/${other}/json`);
        expect(said).not.toContain("another hub");
        expect(said).not.toContain(stranger.id);
        expect((await at.ask("GET", "/system/df")).said).toBe('{"Volumes":[]}');
        // Nor does a container of its own stand on it.
        const mounted = at.body.replaceAll(at.name, other);
        expect((await at.ask("POST", `/containers/create?name=${other}`, mounted)).status).toBe(
          403,
        );
        expect((await stranger.inspect()).State.Status).toBe("created");
      } finally {
        await stranger.remove({ force: true });
        await engine.client.getVolume(other).remove();
      }
    });

    test("puts nothing but belongings into its own container", async () => {
      await using at = await openAttack(engine);
      await at.make();
      const path = `/containers/${at.name}/archive?path=/sandbox`;
      const good = packArchive({ "spool/": null, "spool/runner.lock": "x" }, USER);
      const put = async (archive: Buffer) => (await at.ask("PUT", path, archive)).status;
      expect(await put(good)).toBe(200);
      const link = Buffer.from(good);
      link.write("2", 156, "latin1");
      const setuid = Buffer.from(good);
      setuid.write("0004700\0", 100, "latin1");
      const archives = [
        packArchive({ "../x": "x" }, USER),
        packArchive({ "home/x": "x" }, USER),
        packArchive({ "spool/runner.lock": "x" }, { uid: 0, gid: 0 }),
        link,
        setuid,
        good.subarray(0, 700),
        Buffer.concat([good, good]),
      ];
      for (const archive of archives) expect(await put(archive)).toBe(403);
      expect(await put(Buffer.alloc(1_000_000))).toBe(413);
    });

    test("hides no request in another", async () => {
      await using at = await openAttack(engine);
      const evil =
        "POST /containers/create?name=evil HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n";
      const both = `POST /containers/${at.name}/start HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${evil}`;
      expect(await at.raw(both)).toMatch(/^HTTP\/1\.1 400 [^]*$/);
      // Each of a row is looked at by itself.
      const row = await at.raw(
        `GET /version HTTP/1.1\r\nHost: x\r\n\r\nGET /images/json HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
      );
      expect(row.match(/HTTP\/1\.1 \d+/g)).toEqual(["HTTP/1.1 200", "HTTP/1.1 403"]);
      const upgrade = (path: string, more = "") =>
        at.raw(
          `POST ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n${more}\r\n${evil}`,
        );
      for (const path of ["/session", "/exec/x/start", "/version"])
        expect(await upgrade(path)).toMatch(/^HTTP\/1\.1 403 /);
      expect(await upgrade(`/containers/${at.name}/attach?stream=1&stdin=1`)).toMatch(
        /^HTTP\/1\.1 404 /,
      );
      await at.make();
      expect(
        await upgrade(`/containers/${at.name}/attach?stream=1&stdin=1`, "Content-Length: 9\r\n"),
      ).toMatch(/^HTTP\/1\.1 400 /);
      expect(await upgrade(`/containers/${at.name}/attach?stream=1&stdin=1&logs=1`)).toMatch(
        /^HTTP\/1\.1 403 /,
      );
      const connected = await at.raw("CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n");
      expect(connected).not.toMatch(/^HTTP\/1\.1 2/);
      expect(
        await engine.client.listContainers({ all: true, filters: { name: ["evil"] } }),
      ).toEqual([]);
    });
  });
