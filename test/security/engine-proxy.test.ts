import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { describe, expect, inject, test } from "vitest";
import { z } from "zod";
import { packArchive } from "../../src/runtimes/docker/archive.ts";
import { OWNER } from "../../src/runtimes/docker/labels.ts";
import { openAttack } from "../kit/runtimes/engine-attack.ts";
import { findEngine } from "../kit/runtimes/engine.ts";
import { CONTAINERS, REQUESTS, VOLUMES } from "../kit/runtimes/engine-misdeeds.ts";

const { engines, reason } = await findEngine(inject("engineDir"));
const USER = { uid: 1_000, gid: 1_000 };

test.skipIf(reason !== null)(
  `the proxy has an engine (skipped where no container engine can be started: ${reason ?? ""})`,
  () => {
    expect(reason).toBeNull();
  },
);

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
        const answer = await at.ask("POST", path, sent);
        expect({ what, ...answer }).toMatchObject({ what, status: 403 });
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
        const answer = await at.ask("POST", "/volumes/create", JSON.stringify(body));
        expect({ what, ...answer }).toMatchObject({ what, status: 403 });
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
      expect(at.logged).toHaveLength(REQUESTS.length);
      for (const line of at.logged)
        expect(line).toMatchObject({ msg: "request refused", reason: expect.any(String) });
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

    test("may attach to its own container, at either side's pace", async () => {
      const size = 32 * 1_048_576;
      const count = `let size = 0; process.stdin.on("data", (piece) => (size += piece.length)).on("end", () => console.log("had " + size))`;
      await using at = await openAttack(engine, ["node", "-e", count]);
      const id = await at.make();
      const socket = connect({ path: at.socketPath, allowHalfOpen: true });
      socket.write(
        `POST /containers/${at.name}/attach?stream=1&stdin=1&stdout=1 HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n`,
      );
      socket.write(Buffer.alloc(size));
      const said = text(socket);
      expect((await at.ask("POST", `/containers/${id}/start`)).status).toBe(204);
      // One side ends, and the other goes on.
      socket.end();
      expect(await said).toContain(`had ${size}`);
    });
  });
