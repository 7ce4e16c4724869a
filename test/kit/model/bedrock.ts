import { EventStreamCodec } from "@smithy/eventstream-codec";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createParser } from "eventsource-parser";
import { z } from "zod";
import { signatureFault } from "./aws-signature.ts";
import { listenOnLoopback, readBody } from "../network/loopback.ts";

const BODY_LIMIT_BYTES = 64 * 1024 * 1024;
const ROUTE = /^\/model\/([^/]+)\/(invoke|invoke-with-response-stream)$/;
const Body = z.looseObject({ anthropic_version: z.literal("bedrock-2023-05-31") });
const Failure = z.object({ error: z.object({ message: z.string() }) });

/** AWS's names for what the scripted model answers by number. */
const FAULTS: Record<number, string> = {
  400: "ValidationException",
  404: "ResourceNotFoundException",
  429: "ThrottlingException",
  503: "ServiceUnavailableException",
  529: "ServiceUnavailableException",
};

export interface AwsAccount {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
}

export interface BedrockStandIn extends AsyncDisposable {
  url: string;
  /** Why requests were refused, and the paths of those that were not. */
  refused: readonly string[];
  served: readonly string[];
  /** From now on, these alone are taken; older ones have expired. */
  setAccount(account: AwsAccount): void;
}

/** Amazon Bedrock's runtime on loopback before a scripted model: checks signatures, answers in Amazon's framing. */
export async function createBedrockStandIn(options: {
  model: { url: string };
  /** The key that the scripted model wants. */
  apiKey: string;
  account: AwsAccount;
  region: string;
  bearerToken?: string;
}): Promise<BedrockStandIn> {
  let { account } = options;
  const refused: string[] = [];
  const served: string[] = [];

  function fault(request: IncomingMessage, body: Buffer): string | null {
    const { bearerToken, region } = options;
    if (bearerToken !== undefined)
      return request.headers.authorization === `Bearer ${bearerToken}`
        ? null
        : "wrong bearer token";
    if (request.headers["x-amz-security-token"] !== account.sessionToken) return "expired token";
    return signatureFault(request, body, { ...account, region, service: "bedrock" });
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const raw = await readBody(request, BODY_LIMIT_BYTES);
    const [, encoded = "", verb = ""] = ROUTE.exec(request.url ?? "") ?? [];
    const reason = fault(request, raw);
    if (reason !== null) {
      refused.push(reason);
      const stale = reason === "expired token";
      fail(response, 403, stale ? "ExpiredTokenException" : "InvalidSignatureException", reason);
      return;
    }
    if (request.method !== "POST" || encoded === "") {
      fail(response, 404, "UnknownOperationException", "no such operation");
      return;
    }
    served.push(request.url ?? "");
    const body = Body.safeParse(JSON.parse(raw.toString()));
    if (!body.success) {
      fail(response, 400, "ValidationException", z.prettifyError(body.error));
      return;
    }
    const streams = verb !== "invoke";
    const answered = await fetch(`${options.model.url}/v1/messages`, {
      method: "POST",
      headers: { "content-type": "application/json", "x-api-key": options.apiKey },
      body: JSON.stringify({ ...body.data, model: decodeURIComponent(encoded), stream: streams }),
    });
    if (!answered.ok) {
      const { error } = Failure.parse(await answered.json());
      // Bedrock has no 529.
      const status = answered.status === 529 ? 503 : answered.status;
      fail(response, status, FAULTS[answered.status] ?? "InternalServerException", error.message);
    } else if (streams) await sendFrames(response, answered);
    else
      response
        .writeHead(200, { "content-type": "application/json" })
        .end(Buffer.from(await answered.arrayBuffer()));
  }

  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
  const { url, close } = await listenOnLoopback(server);
  return {
    url,
    refused,
    served,
    setAccount(next) {
      account = next;
    },
    [Symbol.asyncDispose]: close,
  };
}

/** Rejects when the model hangs up, so that the connection is cut here as well. */
async function sendFrames(response: ServerResponse, answered: Response): Promise<void> {
  response.writeHead(200, { "content-type": "application/vnd.amazon.eventstream" });
  const parser = createParser({ onEvent: ({ data }) => void response.write(frameOf(data)) });
  const decoder = new TextDecoder();
  for await (const chunk of answered.body ?? [])
    parser.feed(decoder.decode(z.instanceof(Uint8Array).parse(chunk), { stream: true }));
  response.end();
}

const codec = new EventStreamCodec(
  (bytes) => (typeof bytes === "string" ? bytes : Buffer.from(bytes).toString("utf8")),
  (text) => Buffer.from(text),
);

/** One event as Bedrock sends it. */
export function frameOf(event: string): Uint8Array {
  return codec.encode({
    headers: {
      ":event-type": { type: "string", value: "chunk" },
      ":content-type": { type: "string", value: "application/json" },
      ":message-type": { type: "string", value: "event" },
    },
    body: Buffer.from(
      JSON.stringify({ bytes: Buffer.from(event).toString("base64"), p: "abcdefghij" }),
    ),
  });
}

function fail(response: ServerResponse, status: number, type: string, message: string): void {
  response
    .writeHead(status, { "content-type": "application/json", "x-amzn-errortype": `${type}:` })
    .end(JSON.stringify({ message }));
}
