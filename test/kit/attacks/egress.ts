import { gatewaySession } from "../hub/gateway-session.ts";
import { once } from "node:events";
import { createServer, request } from "node:http";
import type { IncomingMessage, RequestListener } from "node:http";
import { connect } from "node:net";
import type { Socket } from "node:net";
import pino from "pino";
import { parseRule } from "../../../src/core/egress.ts";
import type { EgressRule } from "../../../src/core/egress.ts";
import type { EventBody } from "../../../src/core/event.ts";
import { createAddressCheck } from "../../../src/gateway/egress/addresses.ts";
import { createEgressDoor } from "../../../src/gateway/egress/door.ts";
import type { GateParts } from "../../../src/gateway/egress/gate.ts";
import type { EgressLimits } from "../../../src/gateway/egress/limits.ts";
import { createGateway } from "../../../src/gateway/server.ts";
import type { GatewayLimits } from "../../../src/gateway/server.ts";
import type { Authentication, GatewaySession } from "../../../src/gateway/session.ts";

interface Told {
  sessionId: string;
  kind: string;
  body: EventBody;
}

/** What came back of a raw exchange: everything until the end. */
export interface RawAnswer {
  status: number;
  text: string;
}

export interface EgressHouse extends AsyncDisposable {
  port: number;
  session: GatewaySession;
  /** Good tokens and whose they are; "ended" for one that was good. */
  tokens: Map<string, Authentication>;
  told: Told[];
  /** Names that were asked for, in order. */
  asked: string[];
  lines: string[];
  /** Sends these bytes with the house's token put in for `TOKEN`, and reads to the end. */
  raw(text: string, token?: string): Promise<RawAnswer>;
  /** An open tunnel, or the refusal. */
  tunnel(target: string, token?: string): Promise<{ status: number; socket: Socket; text: string }>;
  refusals(): EventBody[];
}

/** An egress door behind the gateway, both on loopback, with a DNS that the test writes itself. */
export async function createEgressHouse(
  options: {
    hosts?: string[];
    /** Addresses by name; a function is asked anew each time. */
    dns?: Record<string, string[] | (() => string[] | Promise<string[]>)>;
    /** Addresses that are open although they are not public; by default, those of `createOutside`. */
    ranges?: string[];
    hubPorts?: number[];
    limits?: Partial<EgressLimits>;
    gateway?: Partial<GatewayLimits>;
    rulesOf?: GateParts["rulesOf"];
    /** What a person has to allow, and what they say. */
    asks?: string[];
    mayReach?: GateParts["mayReach"];
    hasEnded?: (sessionId: string) => Promise<boolean>;
    /** Where a forwarder finds the gateway, instead of a port. */
    socketPath?: string;
  } = {},
): Promise<EgressHouse> {
  const told: Told[] = [];
  const asked: string[] = [];
  const lines: string[] = [];
  const log = pino({ level: "debug" }, { write: (line: string) => void lines.push(line) });
  const session: GatewaySession = gatewaySession();
  const tokens = new Map<string, Authentication>([["good", session]]);
  const door = createEgressDoor({
    rules: (options.hosts ?? []).map(ruleOf),
    rulesOf: options.rulesOf ?? (() => Promise.resolve({ rules: [], asks: [], fault: null })),
    asks: (options.asks ?? []).map(ruleOf),
    mayReach: options.mayReach ?? (() => Promise.resolve(null)),
    check: createAddressCheck({
      ranges: options.ranges ?? [OUTSIDE],
      hubPorts: () => new Set(options.hubPorts ?? []),
    }),
    async lookup(name) {
      asked.push(name);
      const found = options.dns?.[name];
      if (found === undefined) throw new Error(`${name} has no address`);
      return typeof found === "function" ? await found() : found;
    },
    record(sessionId, kind, body) {
      told.push({ sessionId, kind, body });
      return Promise.resolve();
    },
    hasEnded: options.hasEnded ?? (() => Promise.resolve(false)),
    limits: { connectMs: 5_000, recheckMs: 20, ...options.limits },
    log,
  });
  const gateway = createGateway({
    address: options.socketPath === undefined ? { port: 0 } : { socketPath: options.socketPath },
    authenticate: (token) => Promise.resolve(tokens.get(token) ?? null),
    doors: new Map(),
    proxy: door,
    log,
    limits: { drainMs: 100, keepAliveTimeoutMs: 100, ...options.gateway },
  });
  const port = (await gateway.listen()).port ?? 0;

  return {
    port,
    session,
    tokens,
    told,
    asked,
    lines,
    async raw(text, token = "good") {
      const socket = connect({ port, host: "127.0.0.1" });
      socket.write(text.replaceAll("TOKEN", `Bearer ${token}`), "latin1");
      return readRaw(socket);
    },
    tunnel: (target, token = "good") =>
      openTunnel(port, target, { "proxy-authorization": `Bearer ${token}` }),
    refusals: () => told.filter(({ kind }) => kind === "egress.refused").map(({ body }) => body),
    async [Symbol.asyncDispose]() {
      await gateway.close();
      door.close();
    },
  };
}

export function ruleOf(text: string): EgressRule {
  const rule = parseRule(text);
  if ("fault" in rule) throw new Error(`${text} ${rule.fault}`);
  return rule;
}

/** Asks a proxy for a tunnel; `text` is the body of a refusal. */
export async function openTunnel(
  port: number,
  target: string,
  headers: Record<string, string> = {},
): Promise<{ status: number; socket: Socket; text: string }> {
  const asking = request({
    host: "127.0.0.1",
    port,
    method: "CONNECT",
    path: target,
    headers: { host: target, ...headers },
    agent: false,
  });
  asking.end();
  const { answer, socket, head } = await new Promise<{
    answer: IncomingMessage;
    socket: Socket;
    head: Buffer;
  }>((resolve, reject) => {
    asking.once("error", reject);
    asking.once("connect", (res, stream: Socket, first) =>
      resolve({ answer: res, socket: stream, head: first }),
    );
  });
  socket.on("error", () => undefined);
  const status = answer.statusCode ?? 0;
  if (head.length > 0) socket.unshift(head);
  if (status === 200) return { status, socket, text: "" };
  let text = "";
  for await (const chunk of socket) text += String(chunk);
  return { status, socket, text };
}

export async function readRaw(socket: Socket): Promise<RawAnswer> {
  socket.on("error", () => undefined);
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  await once(socket, "close");
  const text = Buffer.concat(chunks).toString("latin1");
  return { status: Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1] ?? 0), text };
}

/** All of loopback leads to this machine, so one address of it may stand for any other host. */
export const OUTSIDE = "127.77.0.0/16";

/** A host that is not the hub: at an address of its own on loopback. */
export async function createOutside(
  listener: RequestListener,
  address = "127.77.0.1",
  port = 0,
): Promise<{ address: string; port: number; connections(): number } & AsyncDisposable> {
  const server = createServer(listener);
  let connections = 0;
  server.on("connection", () => (connections += 1));
  server.listen(port, address);
  await once(server, "listening");
  const bound = server.address();
  if (bound === null || typeof bound === "string") throw new Error("no TCP port");
  return {
    address,
    port: bound.port,
    connections: () => connections,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}
