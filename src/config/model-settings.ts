import { z } from "zod";
import { from, secret, text, url, VISIBLE, VISIBLE_EXPECTED, WEB, whole } from "./setting.ts";

const modelName = z.string().regex(/^[\w.:@/-]{1,300}$/);
const place = z.string().regex(/^[a-z0-9-]{1,60}$/);
const yes = z.enum(["1", "0", "true", "false"]).transform((value) => /1|true/.test(value));
const YES_EXPECTED = "1 or 0 (true and false are taken as well)";
const visible = { pattern: VISIBLE, expected: VISIBLE_EXPECTED };

function model(variable: string, doc: string) {
  return from(variable, doc, modelName, {
    expected: "the name of a model",
    fallbackText: "the agent's own choice",
  });
}

/** The way to the model. The names are Claude Code's own, and those of the clouds' own tools. */
export const MODEL_SETTINGS = {
  anthropicApiKey: secret(
    "ANTHROPIC_API_KEY",
    "Key for the model; it never enters a sandbox.",
    visible,
  ),
  anthropicBaseUrl: url("ANTHROPIC_BASE_URL", "The model's API.", WEB, {
    fallback: "https://api.anthropic.com",
  }),
  oauthToken: secret(
    "CLAUDE_CODE_OAUTH_TOKEN",
    "Token of a Claude subscription, made by `claude setup-token`; used instead of a key, never enters a sandbox.",
    visible,
  ),
  authHostDir: text(
    "CLAUDE_AUTH_HOST_DIR",
    "Directory with the login of a Claude subscription (`.credentials.json`, as Claude Code writes it). It is read by the gateway; a sandbox sees nothing of it.",
  ),
  useBedrock: from("CLAUDE_CODE_USE_BEDROCK", "Use Amazon Bedrock.", yes, {
    expected: YES_EXPECTED,
    fallback: "0",
  }),
  bedrockBaseUrl: url("ANTHROPIC_BEDROCK_BASE_URL", "Another address of Amazon Bedrock.", WEB, {
    fallbackText: "that of the region",
  }),
  awsRegion: from("AWS_REGION", "Region of Amazon Bedrock.", place, {
    expected: "a region, such as eu-west-1",
  }),
  awsProfile: from(
    "AWS_PROFILE",
    "Profile of AWS's own configuration files; goes before keys that are set.",
    z.string().regex(/^[^\n\]]{1,200}$/),
    { expected: "the name of a profile" },
  ),
  awsAccessKeyId: secret(
    "AWS_ACCESS_KEY_ID",
    "Key for Amazon Bedrock. Without keys or a profile, AWS's standard chain is asked: files, single sign-on, web identity, the role of the container or of the instance.",
    visible,
  ),
  awsSecretAccessKey: secret("AWS_SECRET_ACCESS_KEY", "Belongs to `AWS_ACCESS_KEY_ID`.", visible),
  awsSessionToken: secret(
    "AWS_SESSION_TOKEN",
    "Belongs to `AWS_ACCESS_KEY_ID` where that is a temporary one.",
    visible,
  ),
  awsBearerToken: secret(
    "AWS_BEARER_TOKEN_BEDROCK",
    "API key of Amazon Bedrock; used instead of a signature.",
    visible,
  ),
  useVertex: from("CLAUDE_CODE_USE_VERTEX", "Use Google Vertex AI.", yes, {
    expected: YES_EXPECTED,
    fallback: "0",
  }),
  vertexBaseUrl: url("ANTHROPIC_VERTEX_BASE_URL", "Another address of Vertex AI.", WEB, {
    fallbackText: "that of the region",
  }),
  vertexRegion: from("CLOUD_ML_REGION", "Region of Vertex AI.", place, {
    expected: "a region, such as europe-west1 or global",
  }),
  vertexProject: from(
    "ANTHROPIC_VERTEX_PROJECT_ID",
    "Google Cloud project of Vertex AI.",
    z.string().regex(/^[a-z0-9.:-]{1,100}$/),
    { expected: "the id of a project" },
  ),
  googleCredentials: text(
    "GOOGLE_APPLICATION_CREDENTIALS",
    "File with credentials for Vertex AI. Without it Google's standard chain is asked: `gcloud auth application-default login`, the role of the machine.",
  ),
  anthropicModel: model("ANTHROPIC_MODEL", "Model that agents use."),
  opusModel: model("ANTHROPIC_DEFAULT_OPUS_MODEL", "What agents take for Opus."),
  sonnetModel: model("ANTHROPIC_DEFAULT_SONNET_MODEL", "What agents take for Sonnet."),
  haikuModel: model(
    "ANTHROPIC_DEFAULT_HAIKU_MODEL",
    "What agents take for Haiku, and for small work on the side.",
  ),
  modelWaitMs: whole(
    "CLAUDE_HUB_MODEL_WAIT_MS",
    "How long a call may wait for a provider that says when it takes calls again; for what takes longer the session pauses (ms).",
    { min: 0, max: 300_000, fallback: "120000" },
  ),
  serverTools: from(
    "CLAUDE_HUB_MODEL_SERVER_TOOLS",
    "What agents may have the model's provider do for them, past the egress door: `web_search`, `web_fetch`, `code_execution`, `advisor`, `mcp`, `urls`, `files`, `containers`.",
    z
      .string()
      .regex(/^[a-z0-9_, ]*$/)
      .transform((value) => value.split(",").map((name) => name.trim()))
      .transform((list) => list.filter((name) => name !== "")),
    { expected: "a list of names with commas", fallback: "" },
  ),
};
