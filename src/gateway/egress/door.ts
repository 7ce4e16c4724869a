import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { parseTarget } from "../../core/egress.ts";
import type { Target } from "../../core/egress.ts";
import type { Id } from "../../core/id.ts";
import type { Door, GatewaySession, ProxyDoor } from "../session.ts";
import { createDecisions } from "./decisions.ts";
import type { RecordDecision } from "./decisions.ts";
import { exchange } from "./exchange.ts";
import { createGate } from "./gate.ts";
import type { Gate, GateParts } from "./gate.ts";
import { framingOf, headBytes, valuesOf } from "./headers.ts";
import { createLedger } from "./ledger.ts";
import { EGRESS_LIMITS } from "./limits.ts";
import type { EgressLimits } from "./limits.ts";
import { BytesUsedUp, pump } from "./pump.ts";

export interface EgressDoor extends ProxyDoor, AsyncDisposable {
  /** Cuts everything that is open. */
  close(): void;
}

/** The egress door: tunnels (CONNECT) and plain HTTP requests to the hosts that are allowed, and to no others. */
export function createEgressDoor(
  options: Pick<
    GateParts,
    "rules" | "rulesOf" | "asks" | "mayReach" | "check" | "lookup" | "log"
  > & {
    limits?: Partial<EgressLimits>;
    record: RecordDecision;
    hasEnded(sessionId: Id): Promise<boolean>;
  },
): EgressDoor {
  const limits = { ...EGRESS_LIMITS, ...options.limits };
  const ledger = createLedger(limits);
  const decisions = createDecisions(options.record);
  const gate = createGate({ ...options, limits, ledger, decisions });

  const sessions = () => new Set([...ledger.sessions(), ...decisions.sessions()]);

  function forget(sessionId: Id): void {
    ledger.cut(sessionId);
    ledger.forget(sessionId);
    decisions.forget(sessionId);
  }

  /** A tunnel is asked for its token once; what ends later is ended here. */
  async function cutEnded(): Promise<void> {
    for (const sessionId of sessions()) if (await options.hasEnded(sessionId)) forget(sessionId);
  }

  let checking = false;
  const timer = setInterval(() => {
    if (checking) return;
    checking = true;
    cutEnded()
      .catch((error: unknown) => options.log.warn({ err: error }, "egress could not be rechecked"))
      .finally(() => (checking = false));
  }, limits.recheckMs).unref();

  function close(): void {
    clearInterval(timer);
    for (const sessionId of sessions()) forget(sessionId);
  }

  return {
    connect: (req, client, session) => tunnel(gate, req, client, session),
    request: createRequestDoor(gate, limits),
    close,
    [Symbol.asyncDispose]: () => Promise.resolve(close()),
  };
}

async function tunnel(
  gate: Gate,
  req: IncomingMessage,
  client: Socket,
  session: GatewaySession,
): Promise<void> {
  const gone = new AbortController();
  client.once("close", () => gone.abort());
  const target = await readTarget(gate, session, req, { authority: req.url ?? "", port: null });
  const { socket, place, usedUp } = await gate.open(session, target, gone);
  try {
    client.write("HTTP/1.1 200 Connection established\r\n\r\n");
    await Promise.all([
      pump(client, socket, (bytes) => place.send(bytes)),
      pump(socket, client, (bytes) => place.receive(bytes)),
    ]);
  } catch (error) {
    // Any other end of a connection is the business of its two ends.
    if (error instanceof BytesUsedUp) await usedUp();
  } finally {
    gone.abort();
    client.destroy();
  }
}

function createRequestDoor(gate: Gate, limits: EgressLimits): Door {
  return async (req, res, session) => {
    const [, scheme = "", authority = "", path = ""] =
      /^([a-z][a-z\d+.-]*):\/\/([^/?#]*)([^#]*)$/i.exec(req.url ?? "") ?? [];
    const text = decode(req.url ?? "");
    if (scheme.toLowerCase() !== "http")
      throw await gate.refuseText(session, text, { fault: "is not asked for as http://host/path" });
    const framing = framingOf(req);
    if (framing === null)
      throw await gate.refuseText(session, text, { fault: "is asked for with an unclear length" });
    if (headBytes(req) > limits.headerBytes)
      throw await gate.refuseText(session, text, { fault: "is asked for with too long a head" });
    const target = await readTarget(gate, session, req, { authority, port: 80 });
    await exchange(gate, { req, res, session, target, framing, path, limits });
  };
}

/** The one place that a request names, in its line and in its Host header alike. */
async function readTarget(
  gate: Gate,
  session: GatewaySession,
  req: IncomingMessage,
  { authority, port }: { authority: string; port: number | null },
): Promise<Target> {
  const text = decode(authority);
  const target = parseTarget(text, port);
  if ("fault" in target) throw await gate.refuseText(session, text, target);
  const hosts = valuesOf(req, "host").map((value) => parseTarget(decode(value), target.port));
  const agree = hosts.every(
    (host) => !("fault" in host) && host.host === target.host && host.port === target.port,
  );
  if (hosts.length > 1 || !agree)
    throw await gate.refuse(session, {
      host: target.host,
      port: target.port,
      reason: "is asked for under another name in the Host header",
    });
  return target;
}

/** Node.js gives the bytes of a head as Latin-1. */
function decode(text: string): string {
  return Buffer.from(text, "latin1").toString("utf8");
}
