import type { IncomingMessage } from "node:http";
import { z } from "zod";
import { payloadTooLarge } from "../../core/errors.ts";
import { parseJson } from "../json.ts";
import type { GatewaySession } from "../session.ts";
import type { HeldBody } from "./held.ts";

/** One request of the agent, read as far as the hub needs it. */
export interface Call {
  session: GatewaySession;
  /** Path and query for the API. */
  target: string;
  body: Buffer;
  model: string;
  maxOutputTokens: number;
  streams: boolean;
  startedAt: number;
}

const Head = z.object({
  model: z.string().max(200).catch("unknown"),
  max_tokens: z.int().positive().catch(32_000),
  stream: z.boolean().catch(false),
});

/** Reads one request. `held` learns of every byte of it before it is kept. */
export async function readCall(
  req: IncomingMessage,
  session: GatewaySession,
  maxBytes: number,
  held: HeldBody,
): Promise<Call> {
  const startedAt = performance.now();
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of req.iterator({ destroyOnReturn: false })) {
    const bytes = Buffer.from(z.instanceof(Uint8Array).parse(chunk));
    size += bytes.length;
    if (size > maxBytes) throw payloadTooLarge(maxBytes);
    held.grow(bytes.length);
    chunks.push(bytes);
  }
  const body = Buffer.concat(chunks);
  // What is not JSON goes on as it is: refusing it is the API's business.
  const head = Head.catch(Head.parse({})).parse(parseJson(body.toString()));
  return {
    session,
    target: (req.url ?? "").slice("/model".length),
    body,
    model: head.model,
    maxOutputTokens: head.max_tokens,
    streams: head.stream,
    startedAt,
  };
}

/** About four bytes a token; base64 images count for more than they cost. */
export function inputEstimate(call: Call): number {
  return Math.ceil(call.body.length / 4);
}
