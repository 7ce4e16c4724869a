import type { IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeaders } from "node:http";
import type { ModelAccess } from "../../config/model-access.ts";

/**
 * One way to the model. Agents speak the form of that way themselves, because each takes other features and names of
 * models; the door checks, counts and passes on, and what is behind here says what may be asked and adds the credential.
 */
export interface Upstream {
  /** Without a slash at its end. */
  baseUrl: string;
  /** Null: nothing that an agent may ask. `target` is the path and query of the request, as the API would see them. */
  route(target: string): Route | null;
  /** The headers to send: some of the client's, without its credentials, and the hub's own. */
  headers(request: {
    client: IncomingHttpHeaders;
    url: URL;
    body: Buffer;
  }): Promise<OutgoingHttpHeaders>;
  /**
   * Whether the answer refuses the credential and another one can be had: then the call is worth one more attempt.
   * Its body has not been read.
   */
  renew(answer: IncomingMessage): boolean;
}

export interface Route {
  /** Below the base address, with its query; made anew, so that it says one thing only. */
  target: string;
  /** Counting tokens is free. */
  kind: "message" | "count";
  /** What the path says of model and streaming; null where only the body does. */
  model: string | null;
  streams: boolean | null;
}

/** Only the way that is used is loaded: the clouds' libraries are large. */
export async function createUpstream(
  access: ModelAccess,
  models: readonly string[],
): Promise<Upstream> {
  switch (access.form) {
    case "anthropic":
    case "subscription": {
      const { createAnthropic } = await import("./anthropic.ts");
      return createAnthropic(access);
    }
    case "bedrock": {
      const { createBedrock } = await import("./bedrock.ts");
      const { createAwsCredentials } = await import("./aws-credentials.ts");
      return createBedrock({ ...access, models, credentials: await createAwsCredentials(access) });
    }
    case "vertex": {
      const { createVertex } = await import("./vertex.ts");
      const { createGoogleToken } = await import("./google-token.ts");
      return createVertex({ ...access, token: await createGoogleToken(access) });
    }
    default:
      return access satisfies never;
  }
}
