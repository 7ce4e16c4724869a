import { mcpClient } from "../test/kit/hub/mcp-client.ts";
import { standInNoopPath } from "../test/kit/agent/stand-in.ts";
import { openBenchHub, REPOSITORY } from "./hub.ts";
import { median } from "./table.ts";
import type { Figure } from "./table.ts";

const CALLS = 300;
const WARM_UP = 50;
const MOST_MS = 15;

/** One call after the other, as an agent makes them; beside it the same by the REST API. */
export async function measureMcp(): Promise<Figure[]> {
  await using hub = await openBenchHub({ agentPath: standInNoopPath });
  const made = await hub.fetch("/api/v1/tokens", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ name: "bench", scopes: ["write"], repositories: [REPOSITORY] }),
  });
  const token = tokenOf(await made.json());
  const mcp = mcpClient({ url: hub.url, token });
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  const session = { repository: REPOSITORY, requirements: "Do nothing." };
  const { id } = await hub.create({ type: "analysis", project: session });
  const get = await times(
    async () => void (await mcp.call("get_session_status", { session_id: id })),
  );
  const getByRest = await times(async () => {
    await (await hub.fetch(`/api/v1/sessions/${id}`, { headers })).text();
  });
  const create = await times(
    async () => void (await mcp.call("create_session", { session_type: "analysis", ...session })),
  );
  const createByRest = await times(async () => {
    const body = JSON.stringify({ type: "analysis", project: session });
    await (await hub.fetch("/api/v1/sessions", { method: "POST", headers, body })).text();
  });
  return [
    figure("get_session_status", median(get), median(getByRest)),
    figure("create_session", median(create), median(createByRest)),
  ];
}

function figure(tool: string, value: number, byRest: number): Figure {
  return {
    what: `MCP call of ${tool} over HTTP, with a limited token, median`,
    value,
    unit: "ms",
    reference: { name: "the same by /api/v1", value: byRest },
    target: { value: MOST_MS, atMost: true },
  };
}

async function times(call: () => Promise<void>): Promise<number[]> {
  const taken: number[] = [];
  for (let number = 0; number < WARM_UP + CALLS; number += 1) {
    const began = performance.now();
    await call();
    if (number >= WARM_UP) taken.push(performance.now() - began);
  }
  return taken;
}

function tokenOf(body: unknown): string {
  if (typeof body === "object" && body !== null && "token" in body) return String(body.token);
  throw new Error("no token was made");
}
