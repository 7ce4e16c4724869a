import { Sha256 } from "@aws-crypto/sha256-js";
import { SignatureV4 } from "@smithy/signature-v4";
import { createHash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Secret } from "../../core/secret.ts";
import type { AwsCredentials } from "./aws-credentials.ts";
import { chosenHeaders } from "./headers.ts";
import type { Upstream } from "./upstream.ts";

const ROUTE = /^\/model\/([\w.:~%-]{1,600})\/(invoke|invoke-with-response-stream)$/;
/** Ids and ARNs of models and of inference profiles. */
const MODEL_ID = /^[\w.:/-]{1,300}$/;
/** Others answer in forms of their own, whose cost could not be read. */
const CLAUDE = /(^|[./:-])(anthropic|claude)[.-]/i;
/** What AWS says of credentials that a newer one may replace. */
const STALE = /^(ExpiredToken|UnrecognizedClient|InvalidClientTokenId|InvalidSignature)/;

/** Amazon Bedrock's runtime: InvokeModel and InvokeModelWithResponseStream, signed here. */
export function createBedrock(options: {
  baseUrl: string;
  region: string;
  /** Models beside Anthropic's own names that may be asked for: what the operator has named. */
  models: readonly string[];
  bearerToken: Secret | null;
  credentials: AwsCredentials;
}): Upstream {
  const { region, credentials, bearerToken } = options;
  const signer = new SignatureV4({
    service: "bedrock",
    region,
    credentials: () => credentials.get(),
    sha256: Sha256,
  });

  return {
    baseUrl: options.baseUrl.replace(/\/+$/, ""),
    route(target) {
      const [, encoded = "", verb = ""] = ROUTE.exec(target) ?? [];
      const model = decode(encoded);
      if (model === null || !MODEL_ID.test(model)) return null;
      if (!CLAUDE.test(model) && !options.models.includes(model)) return null;
      return {
        target: `/model/${encodeURIComponent(model)}/${verb}`,
        kind: "message",
        model,
        streams: verb !== "invoke",
      };
    },
    async headers({ client, url, body }) {
      const headers = chosenHeaders(client, body.length);
      if (bearerToken !== null)
        return { ...headers, authorization: `Bearer ${bearerToken.reveal()}` };
      const signed = await signer.sign({
        method: "POST",
        protocol: url.protocol,
        hostname: url.hostname,
        path: url.pathname,
        headers: {
          host: url.host,
          "content-type": "application/json",
          // Given, so that it is not made by AWS's JavaScript: bodies may be large, and others wait.
          "x-amz-content-sha256": createHash("sha256").update(body).digest("hex"),
        },
      });
      return { ...headers, ...signed.headers };
    },
    renew: (answer) => bearerToken === null && isStale(answer) && credentials.renew(),
  };
}

function isStale(answer: IncomingMessage): boolean {
  const type = answer.headers["x-amzn-errortype"];
  return answer.statusCode === 403 && typeof type === "string" && STALE.test(type);
}

function decode(encoded: string): string | null {
  try {
    return encoded === "" ? null : decodeURIComponent(encoded);
  } catch {
    // A stray percent sign.
    return null;
  }
}
