import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";
import { z } from "zod";
import { Conversation } from "../core/job.ts";
import { LIMITS } from "../core/limits.ts";
import { ATTEMPT_MS } from "./gateway.ts";
import type { GatewayClient } from "./gateway.ts";
import { messageOf } from "./message.ts";
import type { Outbox } from "./outbox.ts";

/** Unpacked; a record of this size has been cut by its agent long before. */
const RECORD_BYTES = 256 * 1_048_576;

/** Puts the record of an earlier conversation where the agent looks for it. */
export async function restoreConversation(options: {
  gateway: GatewayClient;
  path: string;
  untilMs: number;
}): Promise<void> {
  const { body } = await options.gateway.call(Conversation, {
    method: "GET",
    path: "/runner/conversation",
    timeoutMs: ATTEMPT_MS,
    untilMs: options.untilMs,
  });
  const record = await promisify(gunzip)(Buffer.from(body, "base64"), {
    maxOutputLength: RECORD_BYTES,
  });
  await mkdir(dirname(options.path), { recursive: true });
  await writeFile(options.path, record);
}

/** Sends the record to the hub, so that the conversation can go on elsewhere. Without one the session is none the worse. */
export async function keepConversation(options: {
  gateway: GatewayClient;
  path: string;
  untilMs: number;
  outbox: Outbox;
}): Promise<void> {
  try {
    const body = await packed(options.path);
    if (body === null) return;
    await options.gateway.call(z.object({}), {
      method: "POST",
      path: "/runner/conversation",
      body: JSON.stringify({ body } satisfies Conversation),
      timeoutMs: ATTEMPT_MS,
      untilMs: options.untilMs,
    });
  } catch (error) {
    options.outbox.add("conversation.lost", { reason: messageOf(error) });
  }
}

/** Null: the agent has kept none. */
async function packed(path: string): Promise<string | null> {
  const found = await stat(path).catch(() => null);
  if (found === null || !found.isFile()) return null;
  if (found.size > RECORD_BYTES) throw new Error(`it has ${found.size} bytes, which is too much`);
  const body = (await promisify(gzip)(await readFile(path))).toString("base64");
  if (body.length > LIMITS.conversationChars)
    throw new Error(`it has ${body.length} bytes when packed, which is too much`);
  return body;
}
