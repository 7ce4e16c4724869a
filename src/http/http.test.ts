import { once } from "node:events";
import { connect } from "node:net";
import { sign } from "@octokit/webhooks-methods";
import { expect, test } from "vitest";
import { z } from "zod";
import { readContract } from "../../test/kit/hub/contract.ts";
import { GITHUB_SECRET, startHttp, TOKEN } from "../../test/kit/hub/http.ts";
import type { TestHttp } from "../../test/kit/hub/http.ts";
import { waitFor } from "../../test/kit/wait.ts";
import { Secret } from "../core/secret.ts";

const NEW = { type: "testing", project: { repository: "a/b", requirements: "x" } };
const LIST = JSON.stringify({ type: "session.list" });
const CLAUDE = "post /api/webhooks/{provider}";

function claude(http: TestHttp, headers: Record<string, string> = {}, body = LIST) {
  return http.fetch("/api/webhooks/claude", { method: "POST", body, headers });
}

/** Sends exactly this and gives the head and the body of the answer. */
async function raw(http: TestHttp, text: string): Promise<{ head: string; body: string }> {
  const socket = connect(Number(new URL(http.url).port), "127.0.0.1");
  let answer = "";
  socket.setEncoding("utf8").on("data", (part: string) => (answer += part));
  socket.write(text);
  await once(socket, "close");
  const [head = "", body = ""] = answer.split("\r\n\r\n");
  return { head, body };
}

test("a host that is not the hub's is refused, whatever it looks like", async () => {
  await using http = await startHttp({ settings: { allowedHosts: ["hub.example", "fd00::1"] } });
  const asked = async (host: string) => {
    const { head } = await raw(
      http,
      `GET /health HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`,
    );
    return Number(head.split(" ")[1]);
  };
  for (const host of ["localhost", "LOCALHOST:1", "[::1]:80", "hub.example", "[fd00::1]:3002"])
    expect([host, await asked(host)]).toEqual([host, 200]);
  for (const host of ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "::1"])
    expect([host, await asked(host)]).toEqual([host, expect.toBeOneOf([400, 403])]);
});

test("what is no request at all gets JSON too", async () => {
  await using http = await startHttp();
  const { head, body } = await raw(
    http,
    "GET / HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n",
  );
  expect(head).toMatch(/^HTTP\/1\.1 400 /);
  expect(body).toContain('"success":false');
});

test("every answer has the security headers, refusals included", async () => {
  await using http = await startHttp();
  const answers = [
    await http.fetch("/health"),
    await http.fetch("/nowhere"),
    await http.fetch("/api/v1/sessions"),
    await http.fetch("/docs", { headers: { authorization: "" } }),
    await claude(http),
    await claude(http, { authorization: "" }),
  ];
  for (const { headers, url } of answers)
    expect([url, Object.fromEntries(headers)]).toEqual([
      url,
      expect.objectContaining({
        "x-content-type-options": "nosniff",
        "cache-control": "no-store",
        "content-security-policy": expect.stringContaining("frame-ancestors 'none'"),
      }),
    ]);
});

test("nothing but health and signed webhooks answers without the token", async () => {
  await using http = await startHttp();
  const paths = ["/api/v1/sessions", "/api/v1/nowhere", "/docs", "/docs/start.js", "/openapi.json"];
  for (const path of paths)
    expect([path, (await http.fetch(path, { headers: { authorization: "" } })).status]).toEqual([
      path,
      401,
    ]);
});

test("without a secret for GitHub every delivery is refused", async () => {
  const secrets = { bearer: new Secret(TOKEN), github: [] };
  await using http = await startHttp({ deps: { secrets } });
  const answer = await http.fetch("/api/webhooks/github", {
    method: "POST",
    body: "{}",
    headers: { "x-hub-signature-256": await sign(GITHUB_SECRET, "{}"), "x-github-event": "ping" },
  });
  expect(answer.status).toBe(401);
  expect(http.deliveries.size).toBe(0);
});

test("a password passes for pages, never for the API: browsers send it on behalf of any page", async () => {
  await using http = await startHttp();
  const authorization = `Basic ${btoa(`anybody:${TOKEN}`)}`;
  const headers = { authorization };
  expect((await http.fetch("/docs", { headers })).status).toBe(200);
  expect((await http.fetch("/docs/swagger-ui-bundle.js", { headers })).status).toBe(200);
  expect((await http.fetch("/openapi.json", { headers })).status).toBe(200);
  expect((await http.fetch("/docs/..%2fpackage.json", { headers })).status).toBe(404);
  expect((await http.fetch("/api/v1/sessions", { headers })).status).toBe(401);
  expect((await claude(http, headers)).status).toBe(401);
});

test("the page of the reference loads nothing from elsewhere", async () => {
  await using http = await startHttp();
  const page = await http.fetch("/docs");
  expect(await page.text()).not.toMatch(/(?:src|href)="(?!\/docs\/)/);
  expect(page.headers.get("content-security-policy")).toContain("default-src 'none'");
});

test("who guesses too often is not even told when a guess is right", async () => {
  await using http = await startHttp({ settings: { authFailures: 3 } });
  const wrong = { authorization: "Bearer wrong" };
  for (const path of ["/api/v1/sessions", "/docs", "/api/v1/sessions"])
    expect((await http.fetch(path, { headers: wrong })).status).toBe(401);
  const answer = await claude(http);
  expect(answer.status).toBe(429);
  expect((await http.fetch("/api/v1/sessions")).status).toBe(429);
  expect((await http.fetch("/health")).status).toBe(200);
});

test("webhooks beyond the limit get the contract's 429", async () => {
  const contract = await readContract();
  for (const settings of [{ ratePerAddress: 2 }, { ratePerToken: 2 }]) {
    await using http = await startHttp({ settings });
    for (let time = 0; time < 2; time += 1) expect((await claude(http)).status).toBe(200);
    const answer = await claude(http);
    const body: unknown = await answer.json();
    expect(answer.status).toBe(429);
    expect(contract.misfits(CLAUDE, 429, body)).toEqual([]);
    expect(body).toEqual({
      error: "Too many webhook requests",
      message: "Too many webhook requests from this IP, please try again later.",
    });
    expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
  }
});

test("behind a proxy the entry that the proxy wrote counts", async () => {
  await using http = await startHttp({ settings: { ratePerAddress: 1, trustProxy: 1 } });
  const from = async (forwarded: string) =>
    (await claude(http, { "x-forwarded-for": forwarded })).status;
  expect(await from("10.0.0.1")).toBe(200);
  expect(await from("10.0.0.2")).toBe(200);
  expect(await from("10.9.9.9, 10.0.0.1")).toBe(429);
});

test("a failure of the hub's own is a reference and nothing else; the log has the rest", async () => {
  const contract = await readContract();
  await using http = await startHttp({
    sessions: { list: () => Promise.reject(new Error("table of secrets")) },
  });
  const older = await claude(http);
  const text = await older.text();
  expect(older.status).toBe(500);
  expect(contract.misfits(CLAUDE, 500, JSON.parse(text))).toEqual([]);
  expect(text).not.toContain("secrets");
  const reference = /\(reference ([0-9a-f-]{36})\)/.exec(text)?.[1] ?? "none";
  expect(http.log.filter((line) => line.includes(reference))).toHaveLength(1);

  const newer = await http.fetch("/api/v1/sessions");
  const problem = z.looseObject({ reference: z.uuid() }).parse(await newer.json());
  expect(newer.headers.get("content-type")).toBe("application/problem+json");
  expect(problem).toMatchObject({ status: 500, code: "internal" });
  expect(http.log.filter((line) => line.includes(problem.reference))).toHaveLength(1);
});

test("a database that is away is a 503 that says when to come back", async () => {
  const gone = Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });
  const fails = () => Promise.reject(gone);
  await using http = await startHttp({
    sessions: { list: fails, create: fails },
    deps: { deliveries: { insert: fails, record: fails, count: fails } },
  });
  const body = '{"zen":"x"}';
  const answers = [
    await claude(http),
    await http.fetch("/api/v1/sessions"),
    await http.fetch("/api/webhooks/github", {
      method: "POST",
      body,
      headers: {
        "x-hub-signature-256": await sign(GITHUB_SECRET, body),
        "x-github-event": "ping",
        "x-github-delivery": "1",
      },
    }),
  ];
  for (const answer of answers) {
    expect(answer.status).toBe(503);
    expect(answer.headers.get("retry-after")).toBe("2");
  }
});

test("names of JavaScript's own are ordinary data", async () => {
  await using http = await startHttp();
  const body = `{"type":"session.create","__proto__":{"admin":true},"session":{"type":"testing","constructor":{},
    "project":{"repository":"a/b","requirements":"x","__proto__":{"context":"no"}},"metadata":{"__proto__":{"x":1},"k":1}}}`;
  const answer = await claude(http, {}, body);
  expect(answer.status).toBe(200);
  expect(Object.keys(Object.prototype)).toEqual([]);
  const [session] = [...http.sessions.values()];
  expect(Object.getPrototypeOf(session?.metadata)).toBe(Object.prototype);
  expect(session?.project.context).toBeUndefined();
});

test("a client that is refused before it has sent everything sees why, and may go on", async () => {
  await using http = await startHttp({ settings: { apiBodyBytes: 10_000 } });
  for (const path of ["/api/webhooks/claude", "/api/v1/sessions"]) {
    const socket = connect(Number(new URL(http.url).port), "127.0.0.1").setEncoding("utf8");
    let answers = "";
    socket.on("data", (part: string) => (answers += part));
    const head = `Host: localhost\r\nAuthorization: Bearer ${TOKEN}\r\nContent-Type: application/json\r\n`;
    socket.write(`POST ${path} HTTP/1.1\r\n${head}Content-Length: 3000000\r\n\r\n{`);
    await waitFor(() => answers.startsWith("HTTP/1.1 413 ") && answers.endsWith("}"));
    socket.write("x".repeat(2_999_999));
    answers = "";
    socket.write(`GET /health HTTP/1.1\r\n${head}Connection: close\r\n\r\n`);
    await once(socket, "close");
    expect(answers).toMatch(/^HTTP\/1\.1 200 /);
  }
});

test("whoever sends without end after a refusal is cut off", async () => {
  await using http = await startHttp({ settings: { apiBodyBytes: 10_000 } });
  const { head } = await raw(
    http,
    `POST /api/v1/sessions HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${TOKEN}\r\n` +
      "Content-Type: application/json\r\nContent-Length: 900000000\r\n\r\n{",
  );
  expect(head).toMatch(/^HTTP\/1\.1 413 /);
}, 30_000);

test("a session can be created, seen, started and ended below /api/v1", async () => {
  await using http = await startHttp();
  const post = (path: string, body?: string, type = "application/json") =>
    http.fetch(`/api/v1${path}`, {
      method: "POST",
      ...(body === undefined ? {} : { body, headers: { "content-type": type } }),
    });
  const made = await post("/sessions", JSON.stringify(NEW));
  expect(made.status).toBe(201);
  const location = made.headers.get("location") ?? "";
  expect(await (await http.fetch(location)).json()).toEqual(await made.json());
  expect((await http.fetch(`${location}/diff`)).headers.get("content-type")).toContain(
    "text/x-diff",
  );
  expect((await http.fetch(`${location}/artifacts`)).status).toBe(200);
  expect((await http.fetch(`${location}/output`)).status).toBe(200);
  const path = location.replace("/api/v1", "");
  expect((await post(`${path}/start`)).status).toBe(200);
  expect((await post(`${path}/cancel`)).status).toBe(200);
  expect((await post("/orchestrations", JSON.stringify({ project: NEW.project }))).status).toBe(
    201,
  );

  const latin = Buffer.from(JSON.stringify(NEW).replace('"x"', '"\xff"'), "latin1");
  const refused = await http.fetch("/api/v1/sessions", {
    method: "POST",
    body: latin,
    headers: { "content-type": "application/json" },
  });
  const problems = [
    [await post("/sessions", "{"), 400, "JSON"],
    [await post("/sessions", JSON.stringify(NEW), "text/plain"), 400, "Content-Type"],
    [await post("/sessions"), 400, "type"],
    [refused, 400, "UTF-8"],
    [await post("/sessions", JSON.stringify({ ...NEW, type: "x" })), 400, "type"],
    [await http.fetch("/api/v1/sessions?limit=0"), 400, "limit"],
    [await http.fetch("/api/v1/sessions/no-id"), 400, "id"],
    [await http.fetch("/api/v1/sessions/0190f5fe-7c00-7a00-8abc-012345678901"), 404, "Session"],
    [await http.fetch("/api/v1/nowhere"), 404, "Not found"],
  ] as const;
  for (const [answer, status, named] of problems) {
    expect([named, answer.status]).toEqual([named, status]);
    expect(answer.headers.get("content-type")).toBe("application/problem+json");
    expect(await answer.json()).toMatchObject({ status, detail: expect.stringContaining(named) });
  }
});
