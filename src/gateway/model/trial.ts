import { buffer } from "node:stream/consumers";
import { z } from "zod";
import type { Config } from "../../config/config.ts";
import type { ModelAccess } from "../../config/model-access.ts";
import { HubError } from "../../core/errors.ts";
import { parseJson } from "../json.ts";
import { createExchange } from "./exchange.ts";
import { trySubscription } from "./subscription-trial.ts";
import { createUpstream } from "./upstream.ts";

/** How a call of the model went; `hint` is what the operator may do. */
export type Trial =
  | { ok: true; model: string }
  | { ok: false; reason: string; hint: string | null };

const SILENCE_MS = 60_000;
const Failure = z.object({ error: z.object({ message: z.string() }) });
const CloudFailure = z.object({ message: z.string() });
const ASKED = { max_tokens: 1, messages: [{ role: "user", content: "Say OK." }] };

/** One call of one token, by the way that is configured. */
export async function tryModel(
  { access, name, families }: Config["model"],
  findAgent: () => string,
): Promise<Trial> {
  const model = families.haiku ?? name ?? SMALL[access.form];
  const exchange = createExchange(SILENCE_MS);
  try {
    if (access.form === "subscription") return await trySubscription(access, findAgent());
    const upstream = await createUpstream(access, [model]);
    const route = upstream.route(targetOf(access, model));
    if (route === null) return { ok: false, reason: `${model} is no model here`, hint: null };
    const url = new URL(upstream.baseUrl + route.target);
    const body = Buffer.from(JSON.stringify(bodyOf(access, model)));
    const client = { "anthropic-version": "2023-06-01" };
    const headers = await upstream.headers({ client, url, body });
    const signal = AbortSignal.timeout(SILENCE_MS);
    const answered = await exchange.send({ url, headers, body, signal });
    const text = (await buffer(answered)).toString("utf8").slice(0, 10_000);
    const status = answered.statusCode ?? 0;
    // Too many calls, or too few machines: the credential was taken all the same.
    if (status < 300 || status === 429 || status === 529) return { ok: true, model };
    return { ok: false, reason: reasonOf(status, text), hint: hintFor(access, status, model) };
  } catch (error) {
    return failureOf(error, access);
  } finally {
    exchange.close();
  }
}

/** Small and cheap ones, for who has named none. */
const SMALL = {
  anthropic: "claude-haiku-4-5",
  subscription: "claude-haiku-4-5",
  bedrock: "global.anthropic.claude-haiku-4-5-20251001-v1:0",
  vertex: "claude-haiku-4-5@20251001",
};

function targetOf(access: ModelAccess, model: string): string {
  switch (access.form) {
    case "bedrock":
      return `/model/${encodeURIComponent(model)}/invoke`;
    case "vertex":
      return `/projects/x/locations/x/publishers/anthropic/models/${model}:rawPredict`;
    default:
      return "/v1/messages";
  }
}

function bodyOf({ form }: ModelAccess, model: string): object {
  if (form === "bedrock") return { anthropic_version: "bedrock-2023-05-31", ...ASKED };
  if (form === "vertex") return { anthropic_version: "vertex-2023-10-16", ...ASKED };
  return { model, ...ASKED };
}

function reasonOf(status: number, text: string): string {
  const body = parseJson(text);
  const failure = Failure.safeParse(body);
  const cloud = CloudFailure.safeParse(body);
  const said = failure.success
    ? failure.data.error.message
    : cloud.success
      ? cloud.data.message
      : text;
  return `the answer was ${status}: ${said.slice(0, 500)}`;
}

function hintFor(access: ModelAccess, status: number, model: string): string | null {
  const refused = status === 401 || status === 403;
  switch (access.form) {
    case "anthropic":
      return refused ? "check the key, and whether it belongs to this address" : null;
    case "subscription":
      return null;
    case "bedrock":
      return refused
        ? `the identity needs bedrock:InvokeModel and bedrock:InvokeModelWithResponseStream, and the account access to ${model}`
        : "name a model that your region has in ANTHROPIC_DEFAULT_HAIKU_MODEL";
    case "vertex":
      return refused
        ? "the identity needs the role Vertex AI User (roles/aiplatform.user) in the project"
        : `enable ${model} in Model Garden, or name another one in ANTHROPIC_DEFAULT_HAIKU_MODEL`;
    default:
      return access satisfies never;
  }
}

function failureOf(error: unknown, access: ModelAccess): Trial {
  if (error instanceof HubError) {
    const cause = error.cause instanceof Error ? `: ${error.cause.message}` : "";
    return { ok: false, reason: `${error.message}${cause}`, hint: error.hint ?? null };
  }
  const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
  return {
    ok: false,
    reason: `${access.baseUrl} could not be reached (${code})`,
    hint: "check the address, the network and the proxy",
  };
}
