import { Agent as HttpAgent, request as httpRequest } from "node:http";
import type { IncomingMessage, OutgoingHttpHeaders } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";

/** Requests to the model's API over kept connections. */
export interface Upstream {
  /** Resolves with the head of the answer; the body is read from it. */
  send(call: {
    /** Path below the base address, with its query. */
    target: string;
    headers: OutgoingHttpHeaders;
    body: Buffer;
    signal: AbortSignal;
  }): Promise<IncomingMessage>;
  close(): void;
}

/** @param silenceMs How long the API may send nothing; streams have pings, whole answers take minutes. */
export function createUpstream(baseUrl: string, silenceMs: number): Upstream {
  const base = new URL(baseUrl);
  const secure = base.protocol === "https:";
  const agent = secure ? new HttpsAgent({ keepAlive: true }) : new HttpAgent({ keepAlive: true });
  const request = secure ? httpsRequest : httpRequest;

  return {
    send({ target, headers, body, signal }) {
      const url = new URL(base.pathname.replace(/\/+$/, "") + target, base);
      return new Promise((resolve, reject) => {
        const sent = request(url, { method: "POST", agent, headers, signal, timeout: silenceMs });
        sent.once("response", resolve);
        sent.on("error", reject);
        sent.once("timeout", () => sent.destroy(new Error(`silent for ${silenceMs} ms`)));
        sent.end(body);
      });
    },
    close: () => agent.destroy(),
  };
}
