import type { IncomingMessage } from "node:http";
import { z } from "zod";
import { invalidRequest, payloadTooLarge } from "../../core/errors.ts";
import { parseJson } from "../json.ts";
import type { GatewaySession } from "../session.ts";
import type { HeldBody } from "./held.ts";
import type { Route } from "./upstream.ts";

/** One request of the agent, read as far as the hub needs it. */
export interface Call {
  session: GatewaySession;
  route: Route;
  /** What was asked, as it was understood. */
  asked: object;
  /** The same, to be sent: not the client's bytes, which another reader might understand in another way. */
  body: Buffer;
  model: string;
  maxOutputTokens: number;
  streams: boolean;
  startedAt: number;
}

const Head = z.object({
  model: z.string().max(300).catch("unknown"),
  max_tokens: z.int().positive().catch(32_000),
  stream: z.boolean().catch(false),
});
const Asked = z.record(z.string(), z.unknown());

/** Reads one request. `held` learns of every byte of it before it is kept. */
export async function readCall(
  req: IncomingMessage,
  {
    session,
    route,
    maxBytes,
    held,
  }: {
    session: GatewaySession;
    route: Route;
    maxBytes: number;
    held: HeldBody;
  },
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
  const parsed = Asked.safeParse(parseJson(Buffer.concat(chunks).toString()));
  if (!parsed.success) throw invalidRequest("", "The body is not a JSON object");
  const asked = parsed.data;
  const head = Head.parse(asked);
  return {
    session,
    route,
    asked,
    body: asBytes(asked),
    model: route.model ?? head.model,
    maxOutputTokens: head.max_tokens,
    streams: route.streams ?? head.stream,
    startedAt,
  };
}

/** About four bytes a token; base64 images count for more than they cost. */
export function inputEstimate(call: Call): number {
  return Math.ceil(call.body.length / 4);
}

function asBytes(asked: object): Buffer {
  try {
    return Buffer.from(JSON.stringify(asked));
  } catch (error) {
    // Nested deeper than the stack is.
    if (error instanceof RangeError) throw invalidRequest("", "The body is nested too deeply");
    throw error;
  }
}
