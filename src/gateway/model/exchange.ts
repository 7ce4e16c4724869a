import { Agent as HttpAgent, request as httpRequest } from "node:http";
import type { IncomingMessage, OutgoingHttpHeaders } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";

/** Requests to the model's API over kept connections. */
export interface Exchange {
  /** Resolves with the head of the answer; the body is read from it. */
  send(call: {
    url: URL;
    headers: OutgoingHttpHeaders;
    body: Buffer;
    signal: AbortSignal;
  }): Promise<IncomingMessage>;
  close(): void;
}

/** @param silenceMs How long the API may send nothing; streams have pings, whole answers take minutes. */
export function createExchange(silenceMs: number): Exchange {
  const plain = new HttpAgent({ keepAlive: true });
  const secure = new HttpsAgent({ keepAlive: true });

  return {
    send({ url, headers, body, signal }) {
      const options = { method: "POST", headers, signal, timeout: silenceMs };
      return new Promise((resolve, reject) => {
        const sent =
          url.protocol === "https:"
            ? httpsRequest(url, { ...options, agent: secure })
            : httpRequest(url, { ...options, agent: plain });
        sent.once("response", resolve);
        sent.on("error", reject);
        sent.once("timeout", () => sent.destroy(new Error(`silent for ${silenceMs} ms`)));
        sent.end(body);
      });
    },
    close() {
      plain.destroy();
      secure.destroy();
    },
  };
}
