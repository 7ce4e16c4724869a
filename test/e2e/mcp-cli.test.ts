import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { expect, test } from "vitest";
import { z } from "zod";
import { runCli } from "../kit/hub/cli.ts";
import { openHouse, REPOSITORY, session } from "../kit/hub/house.ts";
import { createTempDir } from "../kit/temp-dir.ts";
import { waitFor } from "../kit/wait.ts";

const MAIN = join(import.meta.dirname, "../../src/main.ts");
const Message = z.looseObject({
  id: z.number().nullable(),
  result: z.looseObject({ structuredContent: z.unknown().optional() }).optional(),
  error: z.object({ code: z.number(), message: z.string() }).optional(),
});

/** `claude-hub mcp`, as a client that starts it speaks to it. */
function openBridge(env: Record<string, string>, cwd: string) {
  const child = spawn(process.execPath, [MAIN, "mcp"], {
    cwd,
    env: { PATH: process.env["PATH"] ?? "/usr/bin:/bin", HOME: cwd, ...env },
    stdio: ["pipe", "pipe", "inherit"],
  });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  const closed = once(child, "close");
  const messages = () =>
    output
      .split("\n")
      .slice(0, -1)
      .map((line) => Message.parse(JSON.parse(line)));
  return {
    messages,
    send: (message: unknown) =>
      void child.stdin.write(
        `${typeof message === "string" ? message : JSON.stringify(message)}\n`,
      ),
    answered: (id: number | null) =>
      waitFor(() => messages().find((message) => message.id === id), {
        timeoutMs: 30_000,
        what: `an answer to ${id}; there was:\n${output}`,
      }),
    async end() {
      child.stdin.end();
      await closed;
      return child.exitCode;
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await closed;
    },
  };
}

const called = (id: number, name: string, input: Record<string, unknown>) => ({
  jsonrpc: "2.0",
  id,
  method: "tools/call",
  params: { name, arguments: input },
});

test(
  "tokens are made, listed and revoked by the command line, and claude-hub mcp speaks with one",
  { timeout: 120_000 },
  async () => {
    await using house = await openHouse({ env: { CLAUDE_HUB_MCP_CALLS_PER_TOKEN: "1" } });
    const { hub } = house;
    await using temp = await createTempDir("desk");
    const env = { HOME: temp.path, CLAUDE_HUB_URL: hub.url };
    const admin = { cwd: temp.path, env: { ...env, CLAUDE_HUB_TOKEN: hub.secret } };
    const made = await runCli(
      ["token", "create", "my desk", "--scope", "write", "-r", REPOSITORY, "--expires", "7"],
      admin,
    );
    const token = made.stdout.trim();
    expect([made.code, token]).toEqual([0, expect.stringMatching(/^chub_[\w-]{43}$/)]);
    const listed = await runCli(["token", "list"], admin);
    expect(listed.stdout).toMatch(/my desk +write +octo\/greeter +never +good until/);
    expect(listed.stdout).not.toContain(token);
    const refused = await runCli(["token", "create", "x", "--scope", "admin", "-r", "a/b"], admin);
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining("scopes: admin")]);
    const limited = { ...admin, env: { ...env, CLAUDE_HUB_TOKEN: token } };
    expect((await runCli(["token", "list"], limited)).code).toBe(4);

    const { id } = await hub.create(session("Nothing."));
    await using bridge = openBridge(
      { CLAUDE_HUB_URL: hub.url, CLAUDE_HUB_TOKEN: token },
      temp.path,
    );
    bridge.send("no message");
    expect(await bridge.answered(null)).toMatchObject({ error: { code: -32700 } });
    bridge.send({
      jsonrpc: "2.0",
      id: 1,
      method: "initialize",
      params: {
        protocolVersion: "2025-11-25",
        capabilities: {},
        clientInfo: { name: "t", version: "1" },
      },
    });
    bridge.send({ jsonrpc: "2.0", method: "notifications/initialized" });
    const ask = async (question: number) => {
      bridge.send(called(question, "get_session_status", { session_id: id }));
      return (await bridge.answered(question)).error?.message;
    };
    // There is one place, and what has no answer takes it for a moment.
    let asked = 10;
    for (; (await ask(asked)) !== undefined;) asked += 1;
    expect(await bridge.answered(asked)).toMatchObject({
      result: { structuredContent: { session: { id } } },
    });

    // Who cancels a wait gets no answer, and has given its place back. A question may be faster than the wait before it.
    const isAnswered = (wait: number) => bridge.messages().some((message) => message.id === wait);
    let wait = 100;
    let why: string | undefined;
    bridge.send(called(wait, "wait_for_session", { session_id: id }));
    for (let question = 1_000; ; question += 1) {
      why = await ask(question);
      if (isAnswered(wait)) {
        wait += 1;
        bridge.send(called(wait, "wait_for_session", { session_id: id }));
      } else if (why !== undefined) break;
    }
    expect(why).toContain("Too many open calls by MCP");
    bridge.send({
      jsonrpc: "2.0",
      method: "notifications/cancelled",
      params: { requestId: wait },
    });
    for (let question = 2_000; (await ask(question)) !== undefined;) question += 1;
    expect(isAnswered(wait)).toBe(false);

    const [row] = z
      .array(z.object({ id: z.string() }))
      .parse(JSON.parse((await runCli(["token", "list", "--json"], admin)).stdout));
    expect((await runCli(["token", "revoke", row?.id ?? ""], admin)).stdout).toBe(
      "Revoked my desk.\n",
    );
    bridge.send(called(5, "get_session_status", { session_id: id }));
    expect(await bridge.answered(5)).toMatchObject({
      error: { message: "the hub answered 401: Unauthorized" },
    });
    await hub.stop();
    bridge.send(called(6, "get_session_status", { session_id: id }));
    expect(await bridge.answered(6)).toMatchObject({
      error: { message: expect.stringContaining("no hub answers at") },
    });
    expect(await bridge.end()).toBe(0);
  },
);
