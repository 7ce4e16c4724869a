import type { GoogleToken } from "./google-token.ts";
import { chosenHeaders } from "./headers.ts";
import type { Upstream } from "./upstream.ts";

/** Project and region are what the sandbox was told; the hub puts its own in their place. */
const ROUTE =
  /^\/projects\/[\w.:-]{1,100}\/locations\/[\w-]{1,60}\/publishers\/anthropic\/models\/([\w.@-]{1,200}):(rawPredict|streamRawPredict)$/;
const COUNTING = "count-tokens";

/** Google Vertex AI: Anthropic's models by `rawPredict` and `streamRawPredict`. */
export function createVertex(options: {
  baseUrl: string;
  region: string;
  projectId: string;
  token: GoogleToken;
}): Upstream {
  const { region, projectId, token } = options;
  const models = `/projects/${projectId}/locations/${region}/publishers/anthropic/models`;
  return {
    baseUrl: options.baseUrl.replace(/\/+$/, ""),
    route(target) {
      const [, model, verb] = ROUTE.exec(target) ?? [];
      if (model === undefined || verb === undefined) return null;
      const counts = model === COUNTING;
      if (counts && verb !== "rawPredict") return null;
      return {
        target: `${models}/${model}:${verb}`,
        kind: counts ? "count" : "message",
        model: counts ? null : model,
        // Either may be asked to stream by the body.
        streams: verb === "streamRawPredict" ? true : null,
      };
    },
    async headers({ client, body }) {
      const bearer = (await token.get()).reveal();
      return { ...chosenHeaders(client, body.length), authorization: `Bearer ${bearer}` };
    },
    renew(answer) {
      if (answer.statusCode !== 401) return false;
      token.renew();
      return true;
    },
  };
}
