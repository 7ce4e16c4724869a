import autocannon from "autocannon";

const CONNECTIONS = 32;
const SECONDS = 8;

export interface Load {
  perSecond: number;
  p50Ms: number;
  p99Ms: number;
}

/** Sends the same kind of request over 32 connections for some seconds; anything but success ends the benchmark. */
export async function load(options: {
  url: string;
  headers: Record<string, string>;
  body(): string | Buffer;
  /** Headers that differ from request to request. */
  eachHeaders?(): Record<string, string>;
}): Promise<Load> {
  const result = await autocannon({
    url: options.url,
    method: "POST",
    connections: CONNECTIONS,
    duration: SECONDS,
    requests: [
      {
        setupRequest: (request) => ({
          ...request,
          body: options.body(),
          headers: { ...options.headers, ...options.eachHeaders?.() },
        }),
      },
    ],
  });
  if (result.non2xx > 0 || result.errors > 0)
    throw new Error(`${result.non2xx} answers were no success, ${result.errors} failed`);
  return {
    perSecond: result.requests.average,
    p50Ms: result.latency.p50,
    p99Ms: result.latency.p99,
  };
}
