import type { IncomingMessage, ServerResponse } from "node:http";
import type { Logger } from "pino";
import { z } from "zod";
import { HubError, upstreamFailed } from "../../core/errors.ts";
import { write } from "../write.ts";
import type { Call } from "./call.ts";
import type { Exchange } from "./exchange.ts";
import { clientHeaders } from "./headers.ts";
import type { Upstream } from "./upstream.ts";

/** What it takes to send a call on. */
export interface Passage {
  upstream: Upstream;
  exchange: Exchange;
  log: Logger;
}

/** Sends a call on and its answer back, byte for byte, at the pace of the slower side. */
export async function pass(
  passage: Passage,
  call: Call,
  req: IncomingMessage,
  res: ServerResponse,
  watch: {
    abort: AbortSignal;
    /** Whether what was answered is worth another attempt, which is to be made now. */
    again?(answered: IncomingMessage): Promise<boolean>;
    head?(answered: IncomingMessage): void;
    read(chunk: Uint8Array): void;
  },
): Promise<void> {
  try {
    let answered = await ask(passage, call, req, watch.abort);
    while ((await watch.again?.(answered)) === true) {
      answered.resume();
      answered = await ask(passage, call, req, watch.abort);
    }
    watch.head?.(answered);
    const status = answered.statusCode ?? 502;
    if (status === 401 || status === 403)
      passage.log.error({ status }, "the model api refuses the hub's credential");
    if (!res.destroyed) {
      res.writeHead(status, clientHeaders(answered.headers));
      flushSoon(res);
    }
    for await (const part of answered) {
      const chunk = z.instanceof(Uint8Array).parse(part);
      const ready = write(res, chunk);
      watch.read(chunk);
      await ready;
    }
    res.end();
  } catch (error) {
    throw error instanceof HubError ? error : upstreamFailed("model", error);
  }
}

/** Together with the first part of the body, when that is there already. */
function flushSoon(res: ServerResponse): void {
  setImmediate(() => {
    if (!res.destroyed && !res.writableEnded) res.flushHeaders();
  });
}

/** A credential that has expired before its time is replaced once; nothing has reached the client by then. */
async function ask(
  { upstream, exchange, log }: Passage,
  { route, body }: Call,
  req: IncomingMessage,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const url = new URL(upstream.baseUrl + route.target);
  const send = async () => {
    const headers = await upstream.headers({ client: req.headers, url, body });
    return await exchange.send({ url, headers, body, signal });
  };
  const answered = await send();
  if (!upstream.renew(answered)) return answered;
  log.info("the model api refuses the hub's credential, which is fetched anew");
  answered.resume();
  return await send();
}
