import type { Socket } from "node:net";
import type { Logger } from "pino";
import { HubError } from "../../core/errors.ts";
import type { ErrorCode } from "../../core/errors.ts";
import { isAllowed } from "../../core/egress.ts";
import type { EgressRule, Fault, Target } from "../../core/egress.ts";
import type { Id } from "../../core/id.ts";
import type { Repository } from "../../core/repository.ts";
import type { GatewaySession } from "../session.ts";
import type { AddressCheck } from "./addresses.ts";
import { connectTo } from "./connect.ts";
import type { Decisions } from "./decisions.ts";
import type { Ledger, Place } from "./ledger.ts";
import type { EgressLimits } from "./limits.ts";
import type { RepositoryRules } from "./repository-rules.ts";
import type { Lookup } from "./resolver.ts";

/** A connection to the outside that a session may use. */
export interface Passage {
  socket: Socket;
  place: Place;
  /** Tells that the session has had as many bytes as it may. */
  usedUp(): Promise<void>;
}

/** Decides who may connect where, tells it, and connects. */
export interface Gate {
  /**
   * Whoever opens a passage closes it: the socket is destroyed and the place left when `gone` aborts.
   *
   * @throws HubError that may be told to the sandbox.
   */
  open(session: GatewaySession, target: Target, gone: AbortController): Promise<Passage>;
  /** Tells a refusal for a reason that was found elsewhere; answers the error for it. */
  refuse(session: GatewaySession, refusal: Refusal): Promise<HubError>;
  /** The same for a text that names no target. */
  refuseText(session: GatewaySession, text: string, fault: Fault): Promise<HubError>;
}

export interface Refusal {
  host: string;
  port: number | null;
  /** Follows the host. */
  reason: string;
  code?: ErrorCode;
}

export interface GateParts {
  rules: readonly EgressRule[];
  /** What the session's repository adds, and why it adds nothing. */
  rulesOf(repository: Repository): Promise<RepositoryRules>;
  /** Hosts that are open when a person allows it. */
  asks: readonly EgressRule[];
  /** Waits for a person's answer. @returns Why not; null: it may. */
  mayReach(sessionId: Id, target: Target, signal: AbortSignal): Promise<string | null>;
  check: AddressCheck;
  lookup: Lookup;
  ledger: Ledger;
  decisions: Decisions;
  limits: EgressLimits;
  log: Logger;
}

const SHOWN_CHARS = 253;

export function createGate(parts: GateParts): Gate {
  const { ledger, decisions, limits } = parts;

  async function refuse(session: GatewaySession, refusal: Refusal): Promise<HubError> {
    const { host, port, reason, code = "forbidden" } = refusal;
    await decisions.tell(session.sessionId, { kind: "egress.refused", host, port, reason });
    const where = port === null ? host : `${host}:${port}`;
    return new HubError(code, `No connection to ${where}: it ${reason}`);
  }

  /** The addresses that may be connected to, all of them checked. */
  async function vet(session: GatewaySession, target: Target, untilMs: number): Promise<string[]> {
    const { host, port, isAddress } = target;
    const addresses = isAddress ? [host] : await resolve(host, untilMs);
    for (const address of addresses) {
      const reason = parts.check(address, port, isAddress);
      if (reason !== null) throw await refuse(session, { host, port, reason });
    }
    return addresses;
  }

  /** Before anything is asked of DNS: a name that is asked for is a message, too. */
  async function permit(
    session: GatewaySession,
    target: Target,
    signal: AbortSignal,
  ): Promise<void> {
    const fault = await whyNot(session, target, signal);
    const { host, port } = target;
    if (fault !== null) throw await refuse(session, { host, port, reason: fault });
  }

  async function whyNot(
    { sessionId, repository }: GatewaySession,
    target: Target,
    signal: AbortSignal,
  ): Promise<string | null> {
    const { rules, asks, fault } = await parts.rulesOf(repository);
    const isAsked = isAllowed(parts.asks, target);
    if (!isAsked && !isAllowed(parts.rules, target) && !isAllowed(rules, target))
      return `is not on the list of allowed hosts${fault === null ? "" : `; ${fault}`}`;
    if (!isAsked && !isAllowed(asks, target)) return null;
    return await parts.mayReach(sessionId, target, signal);
  }

  async function resolve(host: string, untilMs: number): Promise<string[]> {
    const late = Promise.withResolvers<never>();
    const error = new Error(`looking up ${host} took too long`);
    const timer = setTimeout(() => late.reject(error), untilMs - Date.now());
    try {
      return await Promise.race([parts.lookup(host), late.promise]);
    } catch (cause) {
      throw unreachable(host, "its address could not be found", cause);
    } finally {
      clearTimeout(timer);
    }
  }

  async function enter(
    session: GatewaySession,
    target: Target,
    gone: AbortController,
  ): Promise<Place> {
    const { host, port } = target;
    const place = ledger.enter(session.sessionId, () => gone.abort());
    if (place === "session" || place === "hub") {
      const whose = place === "session" ? "this session" : "the hub";
      const reason = `would be one connection too many of ${whose}`;
      throw await refuse(session, { host, port, reason, code: "rate_limited" });
    }
    if (place.send(0) && place.receive(0)) return place;
    place.leave();
    throw await refuse(session, { host, port, reason: USED_UP });
  }

  return {
    async open(session, target, gone) {
      const { host, port } = target;
      const place = await enter(session, target, gone);
      try {
        await permit(session, target, gone.signal);
        const untilMs = Date.now() + limits.connectMs;
        const addresses = await vet(session, target, untilMs);
        await decisions.tell(session.sessionId, { kind: "egress.allowed", host, port });
        const socket = await connectTo(addresses, port, { untilMs, signal: gone.signal }).catch(
          (error: unknown) => {
            throw unreachable(host, "it does not answer", error);
          },
        );
        socket.setTimeout(limits.idleMs, () => socket.destroy(new Error("silent for too long")));
        const end = () => {
          socket.destroy();
          place.leave();
        };
        gone.signal.addEventListener("abort", end, { once: true });
        if (gone.signal.aborted) end();
        return {
          socket,
          place,
          usedUp: async () => void (await refuse(session, { host, port, reason: USED_UP })),
        };
      } catch (error) {
        place.leave();
        throw error;
      }
    },
    refuse,
    refuseText: (session, text, { fault }) =>
      refuse(session, {
        host: text.slice(0, SHOWN_CHARS).toWellFormed(),
        port: null,
        reason: fault,
      }),
  };
}

const USED_UP = "was cut off, for the session has had as many bytes as it may";

function unreachable(host: string, why: string, cause: unknown): HubError {
  return new HubError("upstream_failed", `No connection to ${host}: ${why}`, { cause });
}
