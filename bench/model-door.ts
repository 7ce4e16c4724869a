import { spawn } from "node:child_process";
import { once } from "node:events";
import { request } from "node:http";
import type { IncomingMessage } from "node:http";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { z } from "zod";
import { standIn, standInAgentPath } from "../test/kit/agent/stand-in.ts";
import { waitFor } from "../test/kit/wait.ts";
import { REPOSITORY, openBenchHub } from "./hub.ts";
import { median, percentile } from "./table.ts";
import type { Figure } from "./table.ts";

const CALLS = 300;
const WARM_UP = 30;
const PAUSE_MS = 25;
const MEGABYTES = 512;
/** About what Claude Code sends when a conversation begins. */
const PROMPT_CHARS = 50_000;

/**
 * What lies between an agent and its model: forwarder, gateway, token and budget looked up in the database, usage
 * recorded; against the same model asked directly.
 */
export async function measureModelDoor(): Promise<Figure[]> {
  const model = await startModel();
  try {
    await using hub = await openBenchHub({
      agentPath: standInAgentPath,
      env: { ANTHROPIC_BASE_URL: model.url, ANTHROPIC_API_KEY: "key-of-the-bench" },
    });
    const steps = [{ run: "echo door=$ANTHROPIC_BASE_URL" }, { sleepMs: 600_000 }];
    const made = await hub.create({
      type: "analysis",
      project: { repository: REPOSITORY, requirements: standIn(...steps) },
    });
    await hub.start(made.id);
    const door = await waitFor(
      async () => /door=(http:[^\s"\\]+)/.exec(JSON.stringify(await hub.events(made.id)))?.[1],
      { what: "the door's address", timeoutMs: 30_000 },
    );
    const { direct, through } = await firstBytes(model.url, door);
    const added = median(through) - median(direct);
    const speeds = { direct: await speed(model.url), door: await speed(door) };
    await hub.fetch(`/api/v1/sessions/${made.id}/cancel`, { method: "POST" });
    await hub.until(made.id);
    return [
      {
        what: "model door: added to the first byte of an answer (median of 300)",
        value: added,
        unit: "ms",
        reference: { name: "the same directly", value: median(direct) },
        target: { value: 3, atMost: true },
      },
      {
        what: "the same, p95",
        value: percentile(through, 0.95) - percentile(direct, 0.95),
        unit: "ms",
      },
      {
        what: "model door: one stream, events of 4 KB",
        value: speeds.door,
        unit: "MB/s",
        reference: { name: "the same directly", value: speeds.direct },
        target: { value: 200, atMost: false },
      },
    ];
  } finally {
    await model.end();
  }
}

async function startModel() {
  const child = spawn(process.execPath, [join(import.meta.dirname, "model-api.ts")], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { PATH: process.env["PATH"] ?? "/usr/bin:/bin" },
  });
  const [line] = await once(child.stdout.setEncoding("utf8"), "data");
  return {
    url: String(line).trim(),
    async end() {
      child.kill();
      await once(child, "exit");
    },
  };
}

/** Milliseconds to the first byte; one call after the other, in turns, so that both see the same machine. */
async function firstBytes(directUrl: string, doorUrl: string) {
  const direct: number[] = [];
  const through: number[] = [];
  for (let number = 0; number < WARM_UP + CALLS; number += 1)
    for (const [url, delaysMs] of [[directUrl, direct] as const, [doorUrl, through] as const]) {
      // What a call leaves to be recorded is not the next one's: an agent works between its calls.
      await pause(PAUSE_MS);
      const { firstByteMs } = await ask(url, 0);
      if (number >= WARM_UP) delaysMs.push(firstByteMs);
    }
  return { direct, through };
}

/** MB/s, the best of three. */
async function speed(url: string): Promise<number> {
  const found: number[] = [];
  for (const _ of [1, 2, 3]) {
    const { bytes, totalMs } = await ask(url, MEGABYTES);
    found.push(bytes / 1_000 / totalMs);
  }
  return Math.max(...found);
}

async function ask(url: string, megabytes: number) {
  const body = JSON.stringify({
    model: "claude-sonnet-4-5",
    max_tokens: megabytes,
    stream: true,
    messages: [{ role: "user", content: "x".repeat(PROMPT_CHARS) }],
  });
  const startedAt = performance.now();
  const sent = request(`${url}/v1/messages`, {
    method: "POST",
    headers: { "content-type": "application/json", "content-length": Buffer.byteLength(body) },
  });
  sent.end(body);
  const answered = await new Promise<IncomingMessage>((resolve, reject) => {
    sent.once("response", resolve).once("error", reject);
  });
  if (answered.statusCode !== 200) throw new Error(`the model answered ${answered.statusCode}`);
  let firstByteMs = 0;
  let bytes = 0;
  for await (const part of answered) {
    if (bytes === 0) firstByteMs = performance.now() - startedAt;
    bytes += z.instanceof(Uint8Array).parse(part).length;
  }
  return { firstByteMs, bytes, totalMs: performance.now() - startedAt };
}
