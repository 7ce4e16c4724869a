import { execFile } from "node:child_process";
import { once } from "node:events";
import { createServer, request } from "node:http";
import type { Server } from "node:http";
import { mkdtemp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { createEgressHouse, createOutside, openTunnel } from "../../test/kit/attacks/egress.ts";
import { createGitForge } from "../../test/kit/forge/git-forge.ts";
import { createTempDir } from "../../test/kit/temp-dir.ts";
import { createTlsFront, makeCertificate } from "../../test/kit/network/tls.ts";
import { waitFor } from "../../test/kit/wait.ts";
import { proxyEnvironment, startForwarder } from "./forwarder.ts";

const run = promisify(execFile);
const HOST = "files.example.com";

async function close(server: Server): Promise<void> {
  server.closeAllConnections();
  server.close();
  await once(server, "close");
}

/** A forwarder before a gateway before one host. */
async function openWay() {
  await using parts = new AsyncDisposableStack();
  const dir = parts.use(await createTempDir("forwarder"));
  const outside = parts.use(
    await createOutside((req, res) => {
      req.resume();
      req.on("end", () => res.end(`${req.method} ${req.url} reached`));
    }),
  );
  const ports = [outside.port];
  const socketPath = join(dir.path, "hub.sock");
  const house = parts.use(
    await createEgressHouse({
      hosts: [`${HOST}:${outside.port}`],
      dns: { [HOST]: [outside.address] },
      rulesOf: () =>
        Promise.resolve({
          rules: ports.map((port) => ({ host: HOST, isAddress: false, subdomains: false, port })),
          asks: [],
          fault: null,
        }),
      socketPath,
    }),
  );
  const forwarder = parts.use(await startForwarder({ socket: socketPath, token: "good" }));
  const env = {
    PATH: process.env["PATH"] ?? "/usr/bin:/bin",
    HOME: await mkdtemp(join(dir.path, "home-")),
    ...proxyEnvironment(forwarder.url),
    GIT_TERMINAL_PROMPT: "0",
  };
  const all = parts.move();
  return {
    house,
    env,
    forwarder,
    plain: `http://${HOST}:${outside.port}`,
    /** The same host, encrypted, and a git forge there; with what makes programs trust it. */
    async encrypt() {
      const forge = all.use(await createGitForge({ token: "dummy" }));
      await forge.repository("octo/greeter", "greeter");
      const certificate = await makeCertificate(dir.path, HOST);
      const front = async (host: string, port: number) => {
        const address = outside.address;
        const tls = await createTlsFront({ certificate, address, to: { host, port } });
        ports.push(all.use(tls).port);
        return tls.port;
      };
      const web = await front(outside.address, outside.port);
      const git = await front("127.0.0.1", Number(new URL(forge.url).port));
      return {
        secure: `https://${HOST}:${web}`,
        repository: `https://x-access-token:dummy@${HOST}:${git}/octo/greeter.git`,
        trust: {
          SSL_CERT_FILE: certificate.certPath,
          NODE_EXTRA_CA_CERTS: certificate.certPath,
          GIT_SSL_CAINFO: certificate.certPath,
        },
      };
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

const isThere = (program: string, flag: string) =>
  run(program, [flag]).then(
    () => true,
    () => false,
  );
const hasOpenssl = await isThere("openssl", "version");
const hasCurl = await isThere("curl", "--version");

test.skipIf(!hasOpenssl || !hasCurl)(
  "curl reaches a listed host, plain and encrypted (skipped where openssl or the program itself is missing)",
  async () => {
    await using way = await openWay();
    const { secure, trust } = await way.encrypt();
    const env = { ...way.env, ...trust };
    const curl = async (...args: string[]) => (await run("curl", ["-sS", ...args], { env })).stdout;
    expect(await curl(`${way.plain}/a`)).toBe("GET /a reached");
    expect(await curl("-d", "x", `${way.plain}/b`)).toBe("POST /b reached");
    expect(await curl(`${secure}/c`)).toBe("GET /c reached");
    await expect(curl("https://evil.example/")).rejects.toThrow("403");
    expect(await curl("http://evil.example/")).toContain("is not on the list of allowed hosts");
  },
);

test.skipIf(!hasOpenssl)(
  "git clones from a listed host over https (skipped where openssl or the program itself is missing)",
  async () => {
    await using way = await openWay();
    const { repository, trust } = await way.encrypt();
    const clone = (url: string, place: string) =>
      run("git", ["clone", "--quiet", url, join(way.env.HOME, place)], {
        env: { ...way.env, ...trust },
      });
    await clone(repository, "good");
    await expect(clone("https://evil.example/a/b.git", "bad")).rejects.toThrow("403");
  },
);

test.skipIf(!hasOpenssl)(
  "fetch of Node.js reaches a listed host, and loopback without asking (skipped where openssl or the program itself is missing)",
  async () => {
    await using way = await openWay();
    const { secure, trust } = await way.encrypt();
    const script = join(way.env.HOME, "fetch.mjs");
    await writeFile(
      script,
      `for (const url of process.argv.slice(2))
       console.log(await fetch(url).then((res) => res.text(), (error) => "failed " + (error.cause?.message ?? error)));`,
    );
    const urls = [
      `${way.plain}/a`,
      `${secure}/b`,
      "https://evil.example/",
      `${way.forwarder.url}/runner/job`,
    ];
    const env = { ...way.env, ...trust };
    const { stdout } = await run(process.execPath, [script, ...urls], { env });
    const [plain, encrypted, evil, own] = stdout.split("\n");
    expect(plain).toBe("GET /a reached");
    expect(encrypted).toBe("GET /b reached");
    expect(evil).toMatch(/^failed/);
    expect(own).toContain("only the repository and the model");
    expect(way.house.refusals().map(({ host }) => host)).toEqual(["evil.example"]);
  },
);

test("what asks its proxy for loopback, too, is served as if it had not", async () => {
  await using way = await openWay();
  const { host, port } = new URL(way.forwarder.url);
  const absolute = await run(
    process.execPath,
    [
      "-e",
      `require("node:http").get({ host: "127.0.0.1", port: ${port}, path: "http://${host}/elsewhere" },
         (res) => res.pipe(process.stdout));`,
    ],
    { env: { PATH: way.env.PATH } },
  );
  expect(absolute.stdout).toContain("only the repository and the model");
});

test("connections to the hub are kept, and made anew after it was away", async () => {
  await using dir = await createTempDir("forwarder");
  const socket = join(dir.path, "hub.sock");
  let connections = 0;
  const open = async () => {
    const server = createServer((req, res) => {
      req.resume().once("end", () => res.end(`${req.headers.authorization} ${req.url}`));
    });
    server.on("connection", () => (connections += 1));
    server.listen(socket);
    await once(server, "listening");
    return server;
  };
  await using forwarder = await startForwarder({ socket, token: "good" });
  const ask = async () => {
    const body = "x".repeat(200_000);
    const answer = await fetch(`${forwarder.url}/model/v1/messages`, { method: "POST", body });
    expect(await answer.text()).toBe("Bearer good /model/v1/messages");
  };
  const first = await open();
  for (let at = 0; at < 10; at += 1) await ask();
  expect(connections).toBe(1);
  await Promise.all(Array.from({ length: 10 }, ask));
  await close(first);
  const waiting = [ask(), ask()];
  const second = await open();
  await Promise.all(waiting);
  await ask();
  await close(second);
});

test("what is not kept is not left to the hub, however much is asked", async () => {
  await using dir = await createTempDir("forwarder");
  let opened = 0;
  const hub = createServer((req, res) => {
    req.resume();
    req.on("end", () => res.end("told"));
  });
  // As the gateway keeps them.
  hub.keepAliveTimeout = 60_000;
  hub.on("connection", () => (opened += 1));
  hub.listen(join(dir.path, "hub.sock"));
  await once(hub, "listening");
  const { url, ...forwarder } = await startForwarder({
    socket: join(dir.path, "hub.sock"),
    token: "good",
  });
  for (let count = 0; count < 40; count += 1) {
    const answer = await fetch(`${url}/tools`, { method: "POST", body: "{}" });
    expect(await answer.text()).toBe("told");
  }
  const left = promisify(hub.getConnections.bind(hub));
  expect(opened).toBe(40);
  await waitFor(async () => (await left()) === 0, { what: "connections to end" });
  await forwarder[Symbol.asyncDispose]();
  await close(hub);
});

test("who sends much to a host that is refused learns of the refusal", async () => {
  await using way = await openWay();
  const { hostname, port } = new URL(way.forwarder.url);
  for (let at = 0; at < 5; at += 1) {
    const asking = request({
      host: hostname,
      port,
      path: "http://evil.example/",
      method: "POST",
      headers: { host: "evil.example" },
      agent: false,
    });
    asking.end(Buffer.alloc(20 * 1_048_576));
    const status = await new Promise((resolve, reject) => {
      asking.once("response", (res) => resolve(res.resume().statusCode));
      asking.once("error", reject);
    });
    expect(status).toBe(403);
  }
});

test("a tunnel that the gateway refuses is refused with its words; one that it opens carries both ends", async () => {
  await using way = await openWay();
  const port = Number(new URL(way.forwarder.url).port);
  const refused = await openTunnel(port, "evil.example:443");
  expect(refused.status).toBe(403);
  expect(refused.text).toContain("is not on the list of allowed hosts");
  const opened = await openTunnel(port, new URL(way.plain).host);
  // The end of what is asked is no end of the answer.
  opened.socket.end(`GET /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
  let text = "";
  for await (const chunk of opened.socket) text += String(chunk);
  expect(text).toContain("GET /x reached");
  const left = await openTunnel(port, new URL(way.plain).host);
  await way.forwarder[Symbol.asyncDispose]();
  if (!left.socket.closed) await once(left.socket, "close");
});
