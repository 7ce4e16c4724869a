import { request } from "node:http";
import type { ClientRequest, IncomingMessage, ServerResponse } from "node:http";
import { HubError } from "../../core/errors.ts";
import type { Target } from "../../core/egress.ts";
import type { GatewaySession } from "../session.ts";
import type { Gate, Passage } from "./gate.ts";
import { answerHeaders, headBytes, onwardHeaders } from "./headers.ts";
import type { Framing } from "./headers.ts";
import type { Place } from "./ledger.ts";
import type { EgressLimits } from "./limits.ts";
import { BytesUsedUp, pump } from "./pump.ts";

/** A request that has been read and found clear. */
interface Exchange {
  req: IncomingMessage;
  res: ServerResponse;
  session: GatewaySession;
  target: Target;
  framing: Framing;
  /** Path and query. */
  path: string;
  limits: EgressLimits;
}

/** Interim answers (1xx) that may come before the one that counts. */
const MAX_INTERIM = 16;

/** Sends one plain HTTP request on, written anew, over a connection of its own, and its answer back. */
export async function exchange(gate: Gate, parts: Exchange): Promise<void> {
  const { req, res, session, target } = parts;
  const gone = new AbortController();
  res.once("close", () => gone.abort());
  const passage = await gate.open(session, target, gone);
  const { socket, place } = passage;
  try {
    if (!place.send(headBytes(req))) throw new BytesUsedUp();
    const onward = send(parts, passage);
    const sending = pump(req, onward, (bytes) => place.send(bytes));
    const answering = passBack(onward, parts, place);
    // An answer may come before the request was read to its end, which then nobody wants any more.
    await Promise.race([answering, sending.then(() => answering)]);
  } catch (error) {
    if (error instanceof BytesUsedUp) await passage.usedUp();
    if (res.headersSent) res.destroy();
    else throw error instanceof HubError ? error : noAnswer(target, error);
  } finally {
    gone.abort();
    socket.destroy();
  }
}

function send(
  { req, target, framing, path, limits }: Exchange,
  { socket }: Passage,
): ClientRequest {
  const host = target.host.includes(":") ? `[${target.host}]` : target.host;
  return request({
    createConnection: () => socket,
    method: req.method,
    path: path.startsWith("/") ? path : `/${path}`,
    headers: onwardHeaders(req, target.port === 80 ? host : `${host}:${target.port}`, framing),
    setHost: false,
    maxHeaderSize: limits.headerBytes,
  });
}

async function passBack(onward: ClientRequest, { req, res, target }: Exchange, place: Place) {
  const answer = await answered(onward, target);
  if (!place.receive(headBytes(answer))) throw new BytesUsedUp();
  // One request a connection, unless the client is still sending: it would be cut off before it has read the answer.
  res.shouldKeepAlive = !req.complete;
  res.writeHead(answer.statusCode ?? 502, answer.statusMessage, answerHeaders(answer));
  await pump(answer, res, (bytes) => place.receive(bytes));
}

function noAnswer({ host }: Target, cause: unknown): HubError {
  return cause instanceof BytesUsedUp
    ? new HubError(
        "forbidden",
        `No answer from ${host}: the session has had as many bytes as it may`,
      )
    : new HubError("upstream_failed", `${host} gave no answer that can be passed on`, { cause });
}

function answered(onward: ClientRequest, target: Target): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    let interim = 0;
    const fail = (cause: unknown) => reject(noAnswer(target, cause));
    onward.on("error", fail);
    onward.once("response", resolve);
    onward.on("information", () => {
      interim += 1;
      if (interim > MAX_INTERIM) onward.destroy(new Error("too many interim answers"));
    });
    // Nobody has asked for another protocol.
    onward.once("upgrade", (_answer, socket) => {
      socket.destroy();
      fail(new Error("it changed the protocol"));
    });
  });
}
