import type { Change } from "../../config/hub-env.ts";
import type { Prompt } from "../prompt.ts";

/** The ways to the model that can be set up, each by a few questions. */
export const WAYS = {
  "api-key": { title: "an API key of Anthropic", ask: askApiKey },
  bedrock: { title: "Amazon Bedrock", ask: askBedrock },
  vertex: { title: "Google Vertex AI", ask: askVertex },
  subscription: { title: "a Claude subscription", ask: askSubscription },
} as const;
export type Way = keyof typeof WAYS;

/** One way takes the place of all others. */
const REMOVED = [
  "ANTHROPIC_API_KEY",
  "CLAUDE_CODE_OAUTH_TOKEN",
  "CLAUDE_AUTH_HOST_DIR",
  "CLAUDE_CODE_USE_BEDROCK",
  "AWS_REGION",
  "AWS_PROFILE",
  "AWS_ACCESS_KEY_ID",
  "AWS_SECRET_ACCESS_KEY",
  "AWS_SESSION_TOKEN",
  "AWS_BEARER_TOKEN_BEDROCK",
  "CLAUDE_CODE_USE_VERTEX",
  "CLOUD_ML_REGION",
  "ANTHROPIC_VERTEX_PROJECT_ID",
  "GOOGLE_APPLICATION_CREDENTIALS",
];

async function askApiKey(prompt: Prompt): Promise<Change> {
  const key = await prompt.secret("API key");
  return { remove: REMOVED, values: {}, secrets: { ANTHROPIC_API_KEY: key } };
}

async function askBedrock(prompt: Prompt): Promise<Change> {
  const AWS_REGION = await prompt.ask("Region", "us-east-1");
  const values = { CLAUDE_CODE_USE_BEDROCK: "1", AWS_REGION };
  const how = await prompt.choose("Credentials", [
    "AWS's standard chain: role of the instance or container, single sign-on, environment",
    "a profile in AWS's configuration files",
    "an access key",
    "an API key of Amazon Bedrock",
  ]);
  if (how === 0) return { remove: REMOVED, values, secrets: {} };
  if (how === 1) {
    const AWS_PROFILE = await prompt.ask("Profile", "default");
    return { remove: REMOVED, values: { ...values, AWS_PROFILE }, secrets: {} };
  }
  if (how === 3) {
    const key = await prompt.secret("API key");
    return { remove: REMOVED, values, secrets: { AWS_BEARER_TOKEN_BEDROCK: key } };
  }
  const id = await prompt.secret("Access key id");
  const secret = await prompt.secret("Secret access key");
  const session = await prompt.secret("Session token, empty if there is none");
  return {
    remove: REMOVED,
    values,
    secrets: {
      AWS_ACCESS_KEY_ID: id,
      AWS_SECRET_ACCESS_KEY: secret,
      ...(session.reveal() === "" ? {} : { AWS_SESSION_TOKEN: session }),
    },
  };
}

async function askVertex(prompt: Prompt): Promise<Change> {
  const values = {
    CLAUDE_CODE_USE_VERTEX: "1",
    ANTHROPIC_VERTEX_PROJECT_ID: await prompt.ask("Project"),
    CLOUD_ML_REGION: await prompt.ask("Region", "global"),
  };
  const file = await prompt.ask(
    "File with credentials, empty for Google's standard chain (gcloud's login, the machine's role)",
  );
  return {
    remove: REMOVED,
    values: { ...values, ...(file === "" ? {} : { GOOGLE_APPLICATION_CREDENTIALS: file }) },
    secrets: {},
  };
}

async function askSubscription(prompt: Prompt): Promise<Change> {
  prompt.say(
    "A subscription is one person's: all sessions share its limits, and Anthropic's terms for it apply.",
  );
  const how = await prompt.choose("Login", [
    "a token made by `claude setup-token`; lasts for a year",
    "the directory of a login of Claude Code; Claude Code has to renew it every few hours",
  ]);
  if (how === 0) {
    const token = await prompt.secret("Token");
    return { remove: REMOVED, values: {}, secrets: { CLAUDE_CODE_OAUTH_TOKEN: token } };
  }
  const dir = await prompt.ask("Directory with .credentials.json");
  return { remove: REMOVED, values: { CLAUDE_AUTH_HOST_DIR: dir }, secrets: {} };
}
