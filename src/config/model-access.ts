import type { Secret } from "../core/secret.ts";
import { MODEL_SETTINGS } from "./model-settings.ts";
import { ConfigError } from "./source.ts";
import type { Source } from "./source.ts";

export interface AwsKeys {
  accessKeyId: Secret;
  secretAccessKey: Secret;
  sessionToken: Secret | null;
}

/** The one way to the model that the hub uses, with all that it takes. */
export type ModelAccess =
  | { form: "anthropic"; baseUrl: string; apiKey: Secret | null }
  | {
      form: "subscription";
      baseUrl: string;
      /** Of `claude setup-token`; else it is the login in `hostDir`. */
      token: Secret | null;
      hostDir: string | null;
    }
  | {
      form: "bedrock";
      baseUrl: string;
      region: string;
      profile: string | null;
      keys: AwsKeys | null;
      bearerToken: Secret | null;
    }
  | {
      form: "vertex";
      baseUrl: string;
      region: string;
      projectId: string;
      credentialsFile: string | null;
    };

/** The secrets that some way to the model may need. */
export function readModelSecrets(from: Source) {
  return {
    anthropicApiKey: from.secret(MODEL_SETTINGS.anthropicApiKey),
    oauthToken: from.secret(MODEL_SETTINGS.oauthToken),
    awsAccessKeyId: from.secret(MODEL_SETTINGS.awsAccessKeyId),
    awsSecretAccessKey: from.secret(MODEL_SETTINGS.awsSecretAccessKey),
    awsSessionToken: from.secret(MODEL_SETTINGS.awsSessionToken),
    awsBearerToken: from.secret(MODEL_SETTINGS.awsBearerToken),
  };
}
type ModelSecrets = ReturnType<typeof readModelSecrets>;

/** @throws ConfigError when two ways are asked for, or when one lacks what it needs. */
export function readModelAccess(from: Source, secrets: ModelSecrets): ModelAccess {
  const bedrock = from.required(MODEL_SETTINGS.useBedrock);
  const vertex = from.required(MODEL_SETTINGS.useVertex);
  const hostDir = from.optional(MODEL_SETTINGS.authHostDir);
  const { anthropicApiKey: apiKey, oauthToken: token } = secrets;
  if (bedrock && vertex)
    throw new ConfigError(
      "CLAUDE_CODE_USE_BEDROCK and CLAUDE_CODE_USE_VERTEX are both set, but there is one way to the model.",
    );
  if (bedrock) return readBedrock(from, secrets);
  if (vertex) return readVertex(from);
  const baseUrl = from.required(MODEL_SETTINGS.anthropicBaseUrl);
  if (apiKey === null && (token !== null || hostDir !== null))
    return { form: "subscription", baseUrl, token, hostDir };
  return { form: "anthropic", baseUrl, apiKey };
}

function readBedrock(from: Source, secrets: ModelSecrets): ModelAccess {
  const region = from.optional(MODEL_SETTINGS.awsRegion);
  if (region === null)
    throw new ConfigError("CLAUDE_CODE_USE_BEDROCK is set, so AWS_REGION must be set as well.");
  const { awsAccessKeyId: accessKeyId, awsSecretAccessKey: secretAccessKey } = secrets;
  if ((accessKeyId === null) !== (secretAccessKey === null))
    throw new ConfigError(
      "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY belong together, but one of them is missing.",
    );
  const keys =
    accessKeyId === null || secretAccessKey === null
      ? null
      : { accessKeyId, secretAccessKey, sessionToken: secrets.awsSessionToken };
  return {
    form: "bedrock",
    baseUrl:
      from.optional(MODEL_SETTINGS.bedrockBaseUrl) ??
      `https://bedrock-runtime.${region}.amazonaws.com`,
    region,
    profile: from.optional(MODEL_SETTINGS.awsProfile),
    keys,
    bearerToken: secrets.awsBearerToken,
  };
}

function readVertex(from: Source): ModelAccess {
  const region = from.optional(MODEL_SETTINGS.vertexRegion);
  const projectId = from.optional(MODEL_SETTINGS.vertexProject);
  if (region === null || projectId === null)
    throw new ConfigError(
      "CLAUDE_CODE_USE_VERTEX is set, so CLOUD_ML_REGION and ANTHROPIC_VERTEX_PROJECT_ID must be set as well.",
    );
  return {
    form: "vertex",
    baseUrl: from.optional(MODEL_SETTINGS.vertexBaseUrl) ?? vertexBaseUrl(region),
    region,
    projectId,
    credentialsFile: from.optional(MODEL_SETTINGS.googleCredentials),
  };
}

/** Source: https://cloud.google.com/vertex-ai/generative-ai/docs/partner-models/claude, and Claude Code 2.1.330. */
function vertexBaseUrl(region: string): string {
  if (region === "global") return "https://aiplatform.googleapis.com/v1";
  if (region === "us" || region === "eu")
    return `https://aiplatform.${region}.rep.googleapis.com/v1`;
  return `https://${region}-aiplatform.googleapis.com/v1`;
}
