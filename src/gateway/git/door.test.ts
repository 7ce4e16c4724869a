import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { request } from "node:http";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { FORGE_TOKEN, REPOSITORY, createGitDoorHouse } from "../../../test/kit/forge/git-door.ts";
import { waitFor } from "../../../test/kit/wait.ts";

/** Sends a path exactly as it is written; clients of the platform would tidy it up. */
async function raw(
  url: string,
  path: string,
  token: string,
  more: { method?: string; headers?: Record<string, string>; body?: Buffer } = {},
): Promise<{ status: number; text: string }> {
  const { port } = new URL(url);
  const headers = { authorization: `Bearer ${token}`, ...more.headers };
  return await new Promise((resolve, reject) => {
    const sent = request(
      { host: "127.0.0.1", port, path, method: more.method ?? "GET", headers, agent: false },
      (res) => {
        let text = "";
        res.on("data", (chunk: Buffer) => (text += chunk.toString()));
        res.once("end", () => resolve({ status: res.statusCode ?? 0, text }));
        res.once("error", reject);
      },
    );
    sent.once("error", reject);
    sent.end(more.body);
  });
}

test("a clone comes from the mirror, and the credential stays with the hub", async () => {
  await using house = await createGitDoorHouse();
  const member = house.join();
  const clone = await member.clone();
  expect(await readFile(join(clone, "README.md"), "utf8")).toBe("hello\n");
  expect(await member.git(["rev-parse", "HEAD"], clone)).toBe(house.repository.sha);
  expect(await member.git(["symbolic-ref", "HEAD"], clone)).toBe("refs/heads/main");
  expect(house.forge.credentials).toEqual([`x-access-token:${FORGE_TOKEN}`]);
  const mirrored = await readFile(join(house.mirror.dir(REPOSITORY), "config"), "utf8");
  expect(mirrored).not.toContain(FORGE_TOKEN);

  const before = house.forge.requests.length;
  await house.join().clone();
  // Asked whether anything is new (for each of git's three requests, in this house), fetched nothing.
  const asked = house.forge.requests.slice(before).map(({ method, path }) => `${method} ${path}`);
  expect(new Set(asked)).toEqual(new Set([`POST /${REPOSITORY}.git/git-upload-pack`]));
});

test("shallow, partial and old-protocol clones work", async () => {
  await using house = await createGitDoorHouse();
  for (let n = 0; n < 3; n += 1) await house.forge.commit(REPOSITORY, { "a.txt": `${n}\n` });
  const member = house.join();
  const shallow = await member.clone("--depth=1");
  expect(await member.git(["rev-list", "--count", "HEAD"], shallow)).toBe("1");
  const partial = await member.clone("--filter=blob:none");
  expect(await member.git(["log", "-p", "--format=", "a.txt"], partial)).toContain("+2");
  for (const version of ["0", "1"]) {
    const clone = await member.clone("-c", `protocol.version=${version}`);
    expect(await member.git(["rev-list", "--count", "HEAD"], clone)).toBe("4");
  }
});

test("an empty repository can be cloned, and gets its first branch", async () => {
  await using house = await createGitDoorHouse({ files: null });
  const member = house.join();
  const clone = await member.clone();
  await member.git(["commit", "--quiet", "--allow-empty", "-m", "first"], clone);
  expect(await member.gitError(["push", "origin", "HEAD:main"], clone)).toContain(
    "the default branch is never pushed",
  );
  await member.git(["push", "--quiet", "origin", "HEAD:claude/first"], clone);
  expect(Object.keys(await house.forge.refs(REPOSITORY))).toEqual(["refs/heads/claude/first"]);
});

test("only the four endpoints of the session's own repository exist", async () => {
  await using house = await createGitDoorHouse();
  await house.forge.repository("acme/secret", { "key.txt": "hidden\n" });
  const { token } = house.join();
  const service = "info/refs?service=git-upload-pack";
  const statusOf = async (path: string, more?: { method?: string }) =>
    (await raw(house.url, path, token, more)).status;

  expect(await statusOf(`/git/acme/app.git/${service}`)).toBe(200);
  expect(await statusOf(`/git/acme/secret.git/${service}`)).toBe(403);
  expect(await statusOf(`/git/ACME/app.git/${service}`)).toBe(403);
  expect(await statusOf(`/git/acme/app.git/git-upload-pack`)).toBe(404);
  expect(await statusOf(`/git/acme/app.git/${service}`, { method: "POST" })).toBe(404);
  for (const path of [
    `/git/acme/app/${service}`,
    `/git/acme/app.git/../secret.git/${service}`,
    `/git/acme/app.git/%2e%2e/secret.git/${service}`,
    `/git/acme/%73ecret.git/${service}`,
    `/git/acme%2fsecret.git/${service}`,
    `/git//acme/app.git/${service}`,
    `//git/acme/app.git/${service}`,
    `/git/acme/app.git//${service}`,
    `/git/acme/./app.git/${service}`,
    `/git/acme\\app.git/${service}`,
    `/git/acme/app.git/HEAD`,
    `/git/acme/app.git/info/refs`,
    `/git/acme/app.git/info/refs?service=git-upload-pack&service=git-receive-pack`,
    `/git/acme/app.git/info/refs?service=git-upload-archive`,
    `/git/acme/app.git/config`,
    `/git/acme/app.git/objects/info/packs`,
    `/git/.scratch/app.git/${service}`,
    `/git`,
    `/`,
  ])
    expect([path, (await statusOf(path)) >= 403]).toEqual([path, true]);
});

test("a request that is not git's is refused and leaves nothing running", async () => {
  await using house = await createGitDoorHouse({ limits: { maxFetchRequestBytes: 100_000 } });
  const { token } = house.join();
  const send = (endpoint: string, body: Buffer, headers: Record<string, string> = {}) =>
    raw(house.url, `/git/acme/app.git/${endpoint}`, token, { method: "POST", body, headers });
  const upload = "git-upload-pack";
  expect((await send(upload, Buffer.from("zzzz"))).status).toBe(400);
  const bomb = gzipSync(`0032want ${house.repository.sha}\n`.repeat(100_000));
  expect((await send(upload, bomb, { "content-encoding": "gzip" })).status).toBe(413);
  const junk = await send(upload, Buffer.from("junk"), { "content-encoding": "gzip" });
  expect(junk).toEqual({ status: 400, text: "body: is not valid gzip\n" });
  expect((await send(upload, Buffer.from("0000"), { "content-encoding": "br" })).status).toBe(400);

  const receive = "git-receive-pack";
  expect((await send(receive, Buffer.from("0000"))).status).toBe(200);
  const zipped = await send(receive, gzipSync("0000"), { "content-encoding": "gzip" });
  expect(zipped.status).toBe(200);
  for (const body of [
    "",
    "0",
    "zzzz",
    "0004",
    "0009hello",
    "ffff",
    "00a0short",
    "0014push-cert\0x\n",
  ])
    expect([body, (await send(receive, Buffer.from(body))).status]).toEqual([body, 400]);
  expect(house.pushed).toEqual([]);
});

test("when the forge is away or forgets the hub, so do reads", async () => {
  await using house = await createGitDoorHouse();
  const member = house.join();
  await member.clone();
  const path = `/git/${REPOSITORY}.git/info/refs?service=git-upload-pack`;
  for (const [forge, hub] of [
    [503, 502],
    [401, 403],
    [404, 404],
  ] as const) {
    house.forge.fail(forge);
    expect((await raw(house.url, path, member.token)).status).toBe(hub);
  }
  house.forge.fail(null);
  expect((await raw(house.url, path, member.token)).status).toBe(200);
});

test("a zipped request that is left after its refusal harms nobody", async () => {
  await using house = await createGitDoorHouse({ limits: { maxFetchRequestBytes: 100_000 } });
  const { token } = house.join();
  const zipped = gzipSync(randomBytes(1_000_000));
  const halves = [zipped.subarray(0, 500_000), Buffer.concat([zipped.subarray(0, 9), zipped])];
  for (const sent of halves) {
    const asked = request({
      host: "127.0.0.1",
      port: new URL(house.url).port,
      method: "POST",
      path: "/git/acme/app.git/git-upload-pack",
      headers: { authorization: `Bearer ${token}`, "content-encoding": "gzip" },
      agent: false,
    });
    asked.on("error", () => undefined);
    asked.write(sent);
    const [answer] = await once(asked, "response");
    expect([400, 413]).toContain(answer.statusCode);
    asked.destroy();
  }
  // An error that nobody listens to would have ended this process.
  expect((await raw(house.url, "/git/acme/app.git/HEAD", token)).status).toBe(404);
});

test("a session that keeps its pushes open does not keep out the others", async () => {
  await using house = await createGitDoorHouse({ limits: { maxChildren: 4, maxWaiting: 8 } });
  const greedy = house.join();
  await greedy.clone();
  const pushes = Array.from({ length: 3 }, () => {
    const push = request({
      host: "127.0.0.1",
      port: new URL(house.url).port,
      method: "POST",
      path: "/git/acme/app.git/git-receive-pack",
      headers: { authorization: `Bearer ${greedy.token}` },
      agent: false,
    });
    push.on("error", () => undefined);
    const command = `${"0".repeat(40)} ${house.repository.sha} refs/heads/claude/x\0 report-status`;
    push.write(`${(command.length + 4).toString(16).padStart(4, "0")}${command}0000PACK`);
    return push;
  });
  // One runs, two wait, a fourth is one too many for a session: all of them have arrived.
  const surplus = `/git/${REPOSITORY}.git/git-upload-pack`;
  await waitFor(
    async () => (await raw(house.url, surplus, greedy.token, { method: "POST" })).status === 503,
  );
  expect(await house.join().clone()).toContain("clone");
  for (const push of pushes) push.destroy();
});
