import { join } from "node:path";
import { expect, test } from "vitest";
import { z } from "zod";
import { runClaudeCode } from "../kit/agent/claude-code.ts";
import { MODEL_KEY, openHouse, REPOSITORY } from "../kit/hub/house.ts";
import type { House } from "../kit/hub/house.ts";
import { Scenario } from "../kit/model/scenario.ts";
import { standIn } from "../kit/agent/stand-in.ts";
import { createTempDir } from "../kit/temp-dir.ts";

const MAIN = join(import.meta.dirname, "../../src/main.ts");

const create = (requirements: string, more: Record<string, unknown> = {}) => ({
  name: "mcp__hub__create_session",
  input: {
    session_type: "implementation",
    repository: REPOSITORY,
    requirements,
    auto_start: true,
    ...more,
  },
});
const writes = (name: string) =>
  standIn(
    { write: { path: `${name}.md`, content: name } },
    { result: { summary: `${name} is there.` } },
  );
const BOTH = ["{{result:0:session.id}}", "{{result:1:session.id}}"];
const THIRD = "{{result:2:session.id}}";

/** What the model has Claude Code do: two sessions side by side, and a third that needs both. */
const scenario = Scenario.parse({
  conversations: [
    {
      match: "Split this in three",
      steps: [
        {
          text: "Two can run side by side.",
          toolCalls: [create(writes("one")), create(writes("two"))],
        },
        { toolCalls: [create(writes("three"), { dependencies: BOTH })] },
        {
          toolCalls: [
            { name: "mcp__hub__wait_for_session", input: { session_ids: [...BOTH, THIRD] } },
          ],
        },
        { toolCalls: [{ name: "mcp__hub__get_session_output", input: { session_id: THIRD } }] },
        { text: "All three are done." },
      ],
    },
  ],
});

const Init = z.looseObject({
  mcp_servers: z.array(z.object({ name: z.string(), status: z.string() })),
  tools: z.array(z.string()),
});
const Listed = z.object({
  sessions: z.array(
    z.object({ id: z.string(), status: z.string(), dependencies: z.array(z.string()) }),
  ),
});

/** The real Claude Code on somebody's desk, with the hub among its servers. */
async function runClaude({ model }: House, home: string, server: Record<string, unknown>) {
  return await runClaudeCode(
    { url: model.url, apiKey: MODEL_KEY },
    {
      cwd: home,
      home,
      args: [
        "--strict-mcp-config",
        "--mcp-config",
        JSON.stringify({ mcpServers: { hub: server } }),
        "--allowedTools",
        "mcp__hub",
      ],
      prompt: "Split this in three.",
    },
  );
}

async function tokenFor({ hub }: House): Promise<string> {
  const answer = await hub.fetch("/api/v1/tokens", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ name: "desk", scopes: ["write"], repositories: [REPOSITORY] }),
  });
  return z.object({ token: z.string() }).parse(await answer.json()).token;
}

test(
  "Claude Code runs two sessions and a third that depends on both, by /mcp and by stdio",
  {
    timeout: 240_000,
  },
  async () => {
    await using house = await openHouse({ scenario });
    await using temp = await createTempDir("desk");
    const token = await tokenFor(house);
    const servers = {
      http: {
        type: "http",
        url: `${house.hub.url}/mcp`,
        headers: { Authorization: `Bearer ${token}` },
      },
      stdio: {
        type: "stdio",
        command: process.execPath,
        args: [MAIN, "mcp"],
        env: { CLAUDE_HUB_URL: house.hub.url, CLAUDE_HUB_TOKEN: token },
      },
    };
    for (const server of Object.values(servers)) {
      const { exitCode, lines, output } = await runClaude(house, temp.path, server);
      expect([exitCode, output]).toEqual([0, expect.anything()]);
      const init = Init.parse(lines.find(({ subtype }) => subtype === "init"));
      expect(init.mcp_servers).toEqual([{ name: "hub", status: "connected" }]);
      expect(init.tools).toContain("mcp__hub__wait_for_session");
      expect(lines.at(-1)).toMatchObject({ type: "result", result: "All three are done." });
      // It has read what came of the third.
      expect(output).toContain("three is there.");

      const listed = await house.hub.claude({ type: "session.list", limit: 3 });
      const [third, second, first] = Listed.parse(listed.body.data).sessions;
      expect([first?.status, second?.status, third?.status]).toEqual([
        "completed",
        "completed",
        "completed",
      ]);
      expect(new Set(third?.dependencies)).toEqual(new Set([first?.id, second?.id]));
      const ended = await Promise.all(
        [first, second].map(
          async (one) => (await house.hub.events(one?.id ?? "")).at(-1)?.at ?? "",
        ),
      );
      const begun = (await house.hub.events(third?.id ?? "")).find(
        ({ kind }) => kind === "session.admitted",
      );
      for (const at of ended)
        expect(Date.parse(at)).toBeLessThanOrEqual(Date.parse(begun?.at ?? ""));
    }
  },
);
