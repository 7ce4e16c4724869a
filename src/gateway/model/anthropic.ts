import type { OutgoingHttpHeaders } from "node:http";
import type { ModelAccess } from "../../config/model-access.ts";
import { forbidden } from "../../core/errors.ts";
import { readPath } from "../request-path.ts";
import { passedHeaders } from "./headers.ts";
import { createSubscription } from "./subscription.ts";
import type { Upstream } from "./upstream.ts";

const ENDPOINTS = new Map([
  ["v1/messages", "message"],
  ["v1/messages/count_tokens", "count"],
] as const);

/** Anthropic's own API, with a key or with the login of a subscription. */
export function createAnthropic(
  access: Extract<ModelAccess, { form: "anthropic" | "subscription" }>,
): Upstream {
  const credential = credentialOf(access);
  return {
    baseUrl: access.baseUrl.replace(/\/+$/, ""),
    route(target) {
      const path = readPath(target)?.steps.join("/");
      for (const [endpoint, kind] of ENDPOINTS)
        if (path === endpoint) return { target, kind, model: null, streams: null };
      return null;
    },
    async headers({ client, body }) {
      return { ...passedHeaders(client, body.length), ...(await credential()) };
    },
    // A key does not get better by asking again, and a login is read anew for every call.
    renew: () => false,
  };
}

function credentialOf(
  access: Extract<ModelAccess, { form: "anthropic" | "subscription" }>,
): () => Promise<OutgoingHttpHeaders> {
  if (access.form === "subscription") {
    const subscription = createSubscription(access);
    return async () => ({ authorization: `Bearer ${(await subscription.token()).reveal()}` });
  }
  const { apiKey } = access;
  return () => {
    if (apiKey === null) throw forbidden("The hub has no model key: ANTHROPIC_API_KEY is not set");
    return Promise.resolve({ "x-api-key": apiKey.reveal() });
  };
}
