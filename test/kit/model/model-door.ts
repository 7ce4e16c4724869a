import { createServer } from "node:http";
import type { ServerResponse } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import pino from "pino";
import { budgetExceeded } from "../../../src/core/errors.ts";
import { Secret } from "../../../src/core/secret.ts";
import type { Usage } from "../../../src/core/session.ts";
import { createAnthropic } from "../../../src/gateway/model/anthropic.ts";
import { createModelDoor } from "../../../src/gateway/model/door.ts";
import type { ModelLimits } from "../../../src/gateway/model/door.ts";
import type { ModelRefusal } from "../../../src/gateway/model/refusals.ts";
import type { ModelCall } from "../../../src/gateway/model/settlement.ts";
import type { Upstream } from "../../../src/gateway/model/upstream.ts";
import { createGateway } from "../../../src/gateway/server.ts";
import { gatewaySession } from "../hub/gateway-session.ts";
import { listenOnLoopback } from "../network/loopback.ts";
import { waitFor } from "../wait.ts";

export const KEY = "key-of-the-hub";
export const session = gatewaySession();

/** A model door before an upstream (by its address: Anthropic's own form), with a budget in memory. */
export async function createModelDoorHouse(
  upstream: Upstream | string,
  options: {
    maxTokens?: number;
    limits?: Partial<ModelLimits>;
    serverTools?: readonly string[];
  } = {},
) {
  const lines: string[] = [];
  const calls: ModelCall[] = [];
  const refusals: ModelRefusal[] = [];
  const recorded: Usage[] = [];
  const used = () => recorded.reduce((sum, one) => sum + one.inputTokens + one.outputTokens, 0);
  const log = pino({ level: "debug" }, { write: (line: string) => void lines.push(line) });
  const model = createModelDoor({
    upstream:
      typeof upstream === "string"
        ? createAnthropic({ form: "anthropic", baseUrl: upstream, apiKey: new Secret(KEY) })
        : upstream,
    serverTools: options.serverTools ?? [],
    budget: {
      check: (_id, { own: inFlight }) =>
        options.maxTokens !== undefined && used() + inFlight.tokens >= options.maxTokens
          ? Promise.reject(budgetExceeded("tokens", options.maxTokens))
          : Promise.resolve(),
    },
    onDenial: () => undefined,
    onRefusal(refusal) {
      refusals.push(refusal);
      return Promise.resolve();
    },
    onCall(call) {
      recorded.push(call.usage);
      calls.push(call);
      return Promise.resolve();
    },
    ...(options.limits === undefined ? {} : { limits: options.limits }),
    log,
  });
  const gateway = createGateway({
    address: { port: 0 },
    async authenticate(token) {
      const spent = { tokens: used(), costUsd: 0 };
      const readAt = performance.now();
      // As long as it takes to ask a database.
      await pause(1);
      const policy = { ...session.policy, maxTokens: options.maxTokens ?? null };
      return token === "good" ? { ...session, policy, spent, readAt } : null;
    },
    doors: new Map([["model", model.door]]),
    log,
  });
  const { port } = await gateway.listen();
  const post = (
    body: unknown,
    more: { signal?: AbortSignal; path?: string; headers?: Record<string, string> } = {},
  ) =>
    fetch(`http://127.0.0.1:${port}${more.path ?? "/model/v1/messages?beta=true"}`, {
      method: "POST",
      headers: {
        authorization: "Bearer good",
        "x-api-key": "key-of-the-sandbox",
        "content-type": "application/json",
        "anthropic-version": "2023-06-01",
        "anthropic-beta": "some-feature",
        cookie: "a=b",
        ...more.headers,
      },
      body: typeof body === "string" ? body : JSON.stringify(body),
      ...(more.signal === undefined ? {} : { signal: more.signal }),
    });
  return {
    url: `http://127.0.0.1:${port}/model`,
    calls,
    refusals,
    recorded,
    lines,
    closeModel: () => model.close(),
    post,
    settled: (count: number) => waitFor(() => calls.length >= count),
    async [Symbol.asyncDispose]() {
      await gateway.close();
      await model.close();
    },
  };
}

/** An upstream whose answers the test writes itself. */
export async function createUpstream(answer: (res: ServerResponse, body: string) => void) {
  const server = createServer((req, res) => {
    let body = "";
    req.on("data", (chunk: Buffer) => (body += chunk.toString()));
    req.once("end", () => answer(res, body));
  });
  const { url, close } = await listenOnLoopback(server);
  return { url, server, [Symbol.asyncDispose]: close };
}
