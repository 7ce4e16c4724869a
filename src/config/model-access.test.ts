import { expect, test } from "vitest";
import { loadConfig } from "./config.ts";
import type { Variables } from "./environment.ts";

const access = (env: Variables) => loadConfig({ env, homeDir: "/nonexistent" }).model.access;
const BEDROCK = { CLAUDE_CODE_USE_BEDROCK: "1", AWS_REGION: "eu-west-1" };
const at = (region: string) => access({ ...VERTEX, CLOUD_ML_REGION: region });
const VERTEX = {
  CLAUDE_CODE_USE_VERTEX: "true",
  CLOUD_ML_REGION: "us-east5",
  ANTHROPIC_VERTEX_PROJECT_ID: "acme-models",
};

test("Amazon Bedrock: the region gives the address; keys, profile or the standard chain", () => {
  expect(access(BEDROCK)).toMatchObject({
    form: "bedrock",
    region: "eu-west-1",
    baseUrl: "https://bedrock-runtime.eu-west-1.amazonaws.com",
    profile: null,
    keys: null,
    bearerToken: null,
  });
  const url = "http://127.0.0.1:1/bedrock";
  expect(access({ ...BEDROCK, ANTHROPIC_BEDROCK_BASE_URL: url })).toMatchObject({ baseUrl: url });
  const keys = { AWS_ACCESS_KEY_ID: "AKIATEST", AWS_SECRET_ACCESS_KEY: "sec/ret+" };
  const read = access({ ...BEDROCK, ...keys, AWS_PROFILE: "work", AWS_SESSION_TOKEN: "tok" });
  expect(read).toMatchObject({ profile: "work" });
  if (read.form !== "bedrock") throw new Error("another form");
  expect(read.keys?.secretAccessKey.reveal()).toBe("sec/ret+");
  expect(read.keys?.sessionToken?.reveal()).toBe("tok");
});

test("Google Vertex: the region gives the address", () => {
  expect(at("us-east5")).toMatchObject({
    form: "vertex",
    projectId: "acme-models",
    baseUrl: "https://us-east5-aiplatform.googleapis.com/v1",
  });
  expect(at("global")).toMatchObject({ baseUrl: "https://aiplatform.googleapis.com/v1" });
  expect(at("eu")).toMatchObject({ baseUrl: "https://aiplatform.eu.rep.googleapis.com/v1" });
});

test("a subscription counts where there is no key", () => {
  expect(access({ CLAUDE_AUTH_HOST_DIR: "/login" })).toMatchObject({
    form: "subscription",
    hostDir: "/login",
  });
  const both = { CLAUDE_AUTH_HOST_DIR: "/login", ANTHROPIC_API_KEY: "key-of-the-test" };
  expect(access(both)).toMatchObject({ form: "anthropic" });
});

test.each([
  [{ ...BEDROCK, ...VERTEX }, "are both set"],
  [{ CLAUDE_CODE_USE_BEDROCK: "1" }, "AWS_REGION must be set"],
  [{ CLAUDE_CODE_USE_BEDROCK: "yes" }, "must be 1 or 0"],
  [{ CLAUDE_CODE_USE_VERTEX: "1" }, "CLOUD_ML_REGION and ANTHROPIC_VERTEX_PROJECT_ID"],
  [{ ...BEDROCK, AWS_ACCESS_KEY_ID: "AKIATEST" }, "belong together"],
  [{ ...BEDROCK, AWS_REGION: "eu-west-1.evil.example/" }, "must be a region"],
  [{ CLAUDE_HUB_MODEL_SERVER_TOOLS: "web-search" }, "must be a list of names"],
])("%j is refused in words", (env, words) => {
  expect(() => access(env)).toThrow(words);
});
