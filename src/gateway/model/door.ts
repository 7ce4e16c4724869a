import type { IncomingMessage, ServerResponse } from "node:http";
import type { Logger } from "pino";
import { HubError, invalidRequest } from "../../core/errors.ts";
import type { Deny } from "../denials.ts";
import type { Door, GatewaySession } from "../session.ts";
import { createBudgetGate } from "./budget.ts";
import type { Budget, BudgetGate, Spend } from "./budget.ts";
import { inputEstimate, readCall } from "./call.ts";
import type { Call } from "./call.ts";
import { createExchange } from "./exchange.ts";
import { answerFailure } from "./failure.ts";
import { createHeld } from "./held.ts";
import { pass } from "./pass.ts";
import type { Passage } from "./pass.ts";
import { LIST_PRICES, costUsd, priceOf } from "./pricing.ts";
import type { PriceRule } from "./pricing.ts";
import { createProviderLimits } from "./provider-limit.ts";
import type { LimitWatch, ProviderLimits } from "./provider-limit.ts";
import { createRefusals } from "./refusals.ts";
import type { ModelRefusal, Refusals } from "./refusals.ts";
import { createSettlements } from "./settlement.ts";
import type { ModelCall, Settlements } from "./settlement.ts";
import type { Upstream } from "./upstream.ts";
import { createAnswerReader, noTokens } from "./usage.ts";
import type { AnswerUsage } from "./usage.ts";
import { serviceAskedFor } from "./vet.ts";

export interface ModelLimits {
  maxBodyBytes: number;
  /** Bodies of one session's calls together, as long as the calls last. */
  maxHeldBytes: number;
  /** Calls of one session at the same time, and how many more may wait their turn. */
  maxCalls: number;
  maxWaitingCalls: number;
  /** How long the API may send nothing. */
  silenceMs: number;
}

export const MODEL_LIMITS: ModelLimits = {
  maxBodyBytes: 33_554_432, // the API's own limit
  maxHeldBytes: 134_217_728,
  maxCalls: 16,
  maxWaitingCalls: 64,
  silenceMs: 600_000,
};

export interface ModelDoor extends AsyncDisposable {
  door: Door;
  /** Resolves when the usage of every call is recorded. */
  close(): Promise<void>;
}

interface Parts extends Passage {
  gate: BudgetGate;
  serverTools: readonly string[];
  refusals: Refusals;
  deny: Deny;
  settlements: Settlements;
  held: ReturnType<typeof createHeld>;
  prices: readonly PriceRule[];
  providerLimits: ProviderLimits | null;
  limits: ModelLimits;
}

/**
 * The model door: what an agent asks of its model below `/model`, in the form of the one way to the model that the hub
 * uses, passed on with the hub's credential, and passed back as it comes.
 */
export function createModelDoor(options: {
  upstream: Upstream;
  /** Services of the provider that agents may use, by the names of `CLAUDE_HUB_MODEL_SERVER_TOOLS`. */
  serverTools: readonly string[];
  budget: Budget;
  onCall(call: ModelCall): Promise<void>;
  onRefusal(refusal: ModelRefusal): Promise<void>;
  /** Told of what the door turns away. */
  onDenial: Deny;
  /** What to do when the provider takes no calls for a while; not given: its answer is passed on. */
  onLimit?: LimitWatch;
  /** Prices of the deployment; the list prices follow them. */
  prices?: readonly PriceRule[];
  limits?: Partial<ModelLimits>;
  log: Logger;
}): ModelDoor {
  const limits = { ...MODEL_LIMITS, ...options.limits };
  const exchange = createExchange(limits.silenceMs);
  const settlements = createSettlements(options);
  const parts: Parts = {
    upstream: options.upstream,
    exchange,
    serverTools: options.serverTools,
    deny: options.onDenial,
    refusals: createRefusals((refusal) => options.onRefusal(refusal)),
    gate: createBudgetGate({
      budget: options.budget,
      maxCalls: limits.maxCalls,
      maxWaiting: limits.maxWaitingCalls,
    }),
    settlements,
    held: createHeld(limits.maxHeldBytes),
    prices: [...(options.prices ?? []), ...LIST_PRICES],
    providerLimits: options.onLimit === undefined ? null : createProviderLimits(options.onLimit),
    limits,
    log: options.log,
  };
  const running = new Set<Promise<void>>();
  const close = async () => {
    // Whole answers are waited for even when their reader has left: what still runs ends here, and is settled.
    exchange.close();
    await Promise.allSettled(running);
    await settlements.idle();
  };
  return {
    async door(req, res, session) {
      const serving = serve(parts, req, res, session);
      running.add(serving);
      try {
        await serving;
      } finally {
        running.delete(serving);
      }
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function serve(
  parts: Parts,
  req: IncomingMessage,
  res: ServerResponse,
  session: GatewaySession,
): Promise<void> {
  const gone = new AbortController();
  res.once("close", () => gone.abort());
  try {
    const route = parts.upstream.route((req.url ?? "").slice("/model".length));
    if (req.method !== "POST" || route === null) throw new HubError("not_found", "Not found");
    using held = parts.held.open(session.sessionId);
    const { maxBodyBytes } = parts.limits;
    const call = await readCall(req, { session, route, maxBytes: maxBodyBytes, held });
    await refuseServices(parts, call);
    if (route.kind === "message") await spend(parts, call, req, res, gone.signal);
    else await pass(parts, call, req, res, { abort: gone.signal, read: () => undefined });
  } catch (error) {
    // Also of one that left before it was answered: whoever sends too much often does.
    if (error instanceof HubError) parts.deny(session.sessionId, error);
    if (gone.signal.aborted || res.destroyed) return;
    if (!(error instanceof HubError)) throw error;
    if (error.cause !== undefined || error.hint !== undefined)
      parts.log.warn({ err: error.cause ?? error, hint: error.hint }, "model call failed");
    if (res.headersSent) res.destroy();
    else answerFailure(res, error);
  }
}

/** The provider must not do for an agent what the egress door would not let it do. */
async function refuseServices(parts: Parts, call: Call): Promise<void> {
  const service = serviceAskedFor(call.asked, parts.serverTools);
  if (service === null) return;
  await parts.refusals.tell({ sessionId: call.session.sessionId, model: call.model, service });
  throw invalidRequest(
    "",
    `${service} would be done by the model's provider, which this hub does not allow (CLAUDE_HUB_MODEL_SERVER_TOOLS)`,
  );
}

/** A call that costs money: budget before it, usage after it, however it ends. */
async function spend(
  parts: Parts,
  call: Call,
  req: IncomingMessage,
  res: ServerResponse,
  gone: AbortSignal,
): Promise<void> {
  const leave = await parts.gate.enter(call.session, mostOf(parts, call), gone);
  let reader: ReturnType<typeof createAnswerReader> | undefined;
  let status = 502;
  const waits = parts.providerLimits?.forCall(call.session.sessionId, gone);
  try {
    await pass(parts, call, req, res, {
      again: async ({ statusCode = 502, headers }) =>
        (await waits?.again(statusCode, headers)) === true,
      // A stream ends with its reader; a whole answer is waited for, because its cost is known only at its end.
      abort: call.streams ? gone : new AbortController().signal,
      head(answered) {
        status = answered.statusCode ?? 502;
        if (status < 300) reader = createAnswerReader(answered.headers["content-type"] ?? "");
      },
      read: (chunk) => reader?.read(chunk),
    });
  } finally {
    // 499: the client left before there was an answer.
    if (gone.aborted && status === 502) status = 499;
    const usage = charge(call, status, reader?.end());
    const { counts, model } = usage;
    parts.settlements.settle(
      {
        sessionId: call.session.sessionId,
        model: model ?? call.model,
        usage: {
          inputTokens: counts.inputTokens,
          outputTokens: counts.outputTokens,
          cacheReadTokens: counts.cacheReadTokens,
          cacheWriteTokens: counts.cacheWriteTokens,
          costUsd: costUsd(counts, priceOf(model ?? call.model, parts.prices)),
          modelCalls: 1,
        },
        status,
        durationMs: Math.round(performance.now() - call.startedAt),
      },
      leave,
    );
  }
}

/** What the session has to pay. An answer that hid its figures costs what it may have cost. */
function charge(call: Call, status: number, answer: AnswerUsage | undefined): AnswerUsage {
  const nothing: AnswerUsage = { model: null, counts: noTokens(), certainty: "exact" };
  if (answer !== undefined && answer.certainty !== "none") return answer;
  const began = status === 499 || answer !== undefined;
  if (!began) return nothing;
  const inputTokens = inputEstimate(call);
  const outputTokens = call.streams ? 0 : call.maxOutputTokens;
  return {
    model: null,
    counts: { ...noTokens(), inputTokens, outputTokens },
    certainty: "partial",
  };
}

function mostOf(parts: Parts, call: Call): Spend {
  const inputTokens = inputEstimate(call);
  const outputTokens = call.maxOutputTokens;
  const counts = { ...noTokens(), inputTokens, outputTokens };
  return {
    tokens: inputTokens + outputTokens,
    costUsd: costUsd(counts, priceOf(call.model, parts.prices)),
  };
}
