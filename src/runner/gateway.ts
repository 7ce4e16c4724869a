import { Agent, request } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import { z } from "zod";

/** The hub wants nothing more of this session: it has ended, or the token was never good. */
export class SessionOver extends Error {
  override name = "SessionOver";
}

/** The hub has refused a request for good. */
export class Refused extends Error {
  override name = "Refused";
}

/** Usual for one attempt. */
export const ATTEMPT_MS = 60_000;

export interface Call {
  method: "GET" | "POST";
  path: string;
  body?: string;
  /** For one attempt. */
  timeoutMs: number;
  /** Until when to try again (milliseconds since 1970). */
  untilMs: number;
  signal?: AbortSignal;
}

/** The runner door. The hub may be away for minutes: every call is repeated until it is answered. */
export interface GatewayClient {
  call<Schema extends z.ZodType>(schema: Schema, call: Call): Promise<z.infer<Schema>>;
  close(): void;
}

interface Answer {
  status: number;
  text: string;
}

const RETRY_MS = { first: 20, most: 1_000 };
const ANSWER_BYTES = 16 * 1_048_576;
const ErrorBody = z.object({ error: z.string() });

export function createGatewayClient(options: { socket: string; token: string }): GatewayClient {
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });

  function attempt({ method, path, body, timeoutMs, signal }: Call): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const headers = {
        authorization: `Bearer ${options.token}`,
        ...(body === undefined
          ? {}
          : { "content-type": "application/json", "content-length": Buffer.byteLength(body) }),
      };
      const limit = AbortSignal.timeout(timeoutMs);
      const req = request({
        agent,
        socketPath: options.socket,
        method,
        path,
        headers,
        signal: signal === undefined ? limit : AbortSignal.any([limit, signal]),
      });
      req.on("error", reject);
      req.on("response", (res) => {
        let text = "";
        res.setEncoding("utf8");
        res.on("data", (chunk: string) => {
          text += chunk;
          if (text.length > ANSWER_BYTES) req.destroy(new Error("the answer is too long"));
        });
        res.on("error", reject);
        res.on("end", () => resolve({ status: res.statusCode ?? 0, text }));
      });
      req.end(body);
    });
  }

  return {
    async call(schema, call) {
      for (let delayMs = RETRY_MS.first; ; delayMs = Math.min(delayMs * 2, RETRY_MS.most)) {
        const answer = await attempt(call).catch((error: unknown) => {
          call.signal?.throwIfAborted();
          if (Date.now() >= call.untilMs)
            throw new Error("the hub could not be reached", { cause: error });
          return null;
        });
        if (answer !== null && answer.status === 200) return schema.parse(JSON.parse(answer.text));
        if (answer !== null) judge(answer, call.untilMs);
        await pause(delayMs, undefined, call.signal === undefined ? {} : { signal: call.signal });
      }
    },
    close: () => agent.destroy(),
  };
}

/** Returns when the call is worth repeating. */
function judge({ status, text }: Answer, untilMs: number): void {
  if (status === 401 || status === 410) throw new SessionOver("the session is over for the hub");
  const mayPass = status >= 500 || status === 429 || status === 409;
  if (mayPass && Date.now() < untilMs) return;
  throw new Refused(reasonOf(text) ?? `the hub answered ${status}`);
}

function reasonOf(text: string): string | null {
  try {
    return ErrorBody.parse(JSON.parse(text)).error;
  } catch {
    return null;
  }
}
