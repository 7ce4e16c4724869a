import { createServer } from "node:http";
import type { IncomingMessage } from "node:http";
import { z } from "zod";
import { listenOnLoopback, readBody } from "../network/loopback.ts";

const LIMIT_BYTES = 30_000_000;
const bodySchema = z.looseObject({ action: z.string().optional() });

export interface Received {
  event: string;
  guid: string;
  signature: string;
  text: string;
  body: z.infer<typeof bodySchema>;
}

/** Somebody who receives webhooks, keeps them, and answers 202 or what it was told to. */
export interface Receiver extends AsyncDisposable {
  url: string;
  received: Received[];
  answerWith(status: number): void;
}

export async function createReceiver(): Promise<Receiver> {
  const received: Received[] = [];
  let status = 202;
  const server = createServer((request, response) => {
    receive(request).then(
      (one) => {
        received.push(one);
        return response.writeHead(status).end();
      },
      (error: unknown) => response.destroy(error instanceof Error ? error : undefined),
    );
  });
  const { url, close } = await listenOnLoopback(server);
  return {
    url,
    received,
    answerWith(next) {
      status = next;
    },
    [Symbol.asyncDispose]: close,
  };
}

async function receive(request: IncomingMessage): Promise<Received> {
  const text = (await readBody(request, LIMIT_BYTES)).toString("utf8");
  return {
    event: String(request.headers["x-github-event"]),
    guid: String(request.headers["x-github-delivery"]),
    signature: String(request.headers["x-hub-signature-256"]),
    text,
    body: bodySchema.parse(JSON.parse(text)),
  };
}
