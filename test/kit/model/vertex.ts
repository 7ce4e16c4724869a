import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import { z } from "zod";
import { listenOnLoopback, readBody } from "../network/loopback.ts";

const BODY_LIMIT_BYTES = 64 * 1024 * 1024;
const ROUTE =
  /^\/v1\/projects\/([^/]+)\/locations\/([^/]+)\/publishers\/anthropic\/models\/([^/:]+):(\w+)$/;
const Body = z.looseObject({ anthropic_version: z.literal("vertex-2023-10-16") });

export interface VertexStandIn extends AsyncDisposable {
  /** With the `/v1` that the real one has. */
  url: string;
  served: readonly string[];
  refused: number;
  /** From now on, this token alone is taken. */
  setToken(token: string): void;
}

/** Google Vertex AI on loopback before a scripted model. */
export async function createVertexStandIn(options: {
  model: { url: string };
  apiKey: string;
  token: string;
  projectId: string;
  region: string;
}): Promise<VertexStandIn> {
  let { token } = options;
  let refused = 0;
  const served: string[] = [];

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const raw = await readBody(request, BODY_LIMIT_BYTES);
    if (request.headers.authorization !== `Bearer ${token}`) {
      refused += 1;
      fail(response, 401, "UNAUTHENTICATED");
      return;
    }
    const [, project, region, model, verb] = ROUTE.exec(request.url ?? "") ?? [];
    const isMine = project === options.projectId && region === options.region;
    if (!isMine || !["rawPredict", "streamRawPredict"].includes(verb ?? "")) {
      fail(response, 404, "NOT_FOUND");
      return;
    }
    served.push(request.url ?? "");
    const counts = model === "count-tokens";
    const parsed = (counts ? z.looseObject({}) : Body).safeParse(JSON.parse(raw.toString()));
    if (!parsed.success) {
      fail(response, 400, "INVALID_ARGUMENT");
      return;
    }
    const answered = await fetch(
      `${options.model.url}/v1/messages${counts ? "/count_tokens" : ""}`,
      {
        method: "POST",
        headers: { "content-type": "application/json", "x-api-key": options.apiKey },
        body: JSON.stringify(counts ? parsed.data : { ...parsed.data, model }),
      },
    );
    if (answered.status === 429) fail(response, 429, "RESOURCE_EXHAUSTED");
    else {
      const type = answered.headers.get("content-type") ?? "";
      response.writeHead(answered.status, { "content-type": type });
      await pipeline(answered.body ?? [], response);
    }
  }

  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
  const { url, close } = await listenOnLoopback(server);
  return {
    url: `${url}/v1`,
    served,
    get refused() {
      return refused;
    },
    setToken(next) {
      token = next;
    },
    [Symbol.asyncDispose]: close,
  };
}

/** Google's metadata server, as far as it gives tokens to what runs on a machine of Google's. */
export async function createMetadataStandIn(token: () => string) {
  let asked = 0;
  const server = createServer((request, response) => {
    response.setHeader("metadata-flavor", "Google");
    const isToken = request.url?.includes("/service-accounts/default/token") === true;
    if (isToken) asked += 1;
    const known = request.headers["metadata-flavor"] === "Google";
    response.writeHead(known ? 200 : 403, { "content-type": "application/json" });
    response.end(
      isToken
        ? JSON.stringify({ access_token: token(), expires_in: 3_600, token_type: "Bearer" })
        : "{}",
    );
  });
  const { url, close } = await listenOnLoopback(server);
  return {
    host: new URL(url).host,
    get asked() {
      return asked;
    },
    [Symbol.asyncDispose]: close,
  };
}

function fail(response: ServerResponse, code: number, status: string): void {
  response
    .writeHead(code, { "content-type": "application/json" })
    .end(JSON.stringify({ error: { code, message: status, status } }));
}
