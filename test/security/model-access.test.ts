import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createBedrockStandIn } from "../kit/model/bedrock.ts";
import { FORGE_TOKEN, REPOSITORY, openHouse, session } from "../kit/hub/house.ts";
import { HUB_SECRET } from "../kit/hub/hub.ts";
import { listenOnLoopback, readBody } from "../kit/network/loopback.ts";
import { createScriptedModel } from "../kit/model/scripted-model.ts";
import type { Scenario } from "../kit/model/scenario.ts";
import { createTempDir } from "../kit/temp-dir.ts";
import { createMetadataStandIn, createVertexStandIn } from "../kit/model/vertex.ts";

const KEY = "key-behind-the-stand-ins";
const LOOK = [
  "env",
  "cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline | tr '\\0' '\\n'",
  "find / -xdev -type f -size -200k -not -path '/proc/*' -not -path '/usr/*' -not -path '/sys/*' 2>/dev/null | head -3000 | xargs -d '\\n' cat 2>/dev/null | head -c 4000000",
  "cat $HOME/.claude/.credentials.json $HOME/.aws/* 2>&1",
].join("; ");
const usage = {
  inputTokens: 100,
  outputTokens: 20,
  cacheReadTokens: 1_000,
  cacheWriteTokens: 10,
};
/** Answers once, is throttled once, and answers again; `hangUp`: after one answer that breaks off. */
const scenarioWith = (hangUp: boolean): Scenario => ({
  conversations: [
    {
      match: "Look around",
      steps: [
        step({
          text: "I look.",
          toolCalls: [
            {
              name: "Bash",
              input: {
                command: `( ${LOOK} ) > dump.txt 2>&1; git add -A && git commit -q -m Dump && echo done`,
                description: "x",
              },
            },
          ],
          usage,
        }),
        step({
          error: { status: 429, type: "rate_limit_error", message: "Slow down", times: 1 },
          structured: { summary: "Looked.", nextSteps: [] },
          usage,
          hangUp,
        }),
      ],
    },
  ],
});
const scenario = scenarioWith(false);

function step(more: Partial<Scenario["conversations"][number]["steps"][number]>) {
  return { toolCalls: [], delayMs: 0, pieceMs: 0, hangUp: false, ...more };
}

function accountOf(name: string) {
  return {
    accessKeyId: `AKIA-${name}-of-the-role`,
    secretAccessKey: `secret-${name}-of-the-role`,
    sessionToken: `token-${name}-of-the-role`,
  };
}

/** One session of the real Claude Code in a sandbox, with what the operator has configured; answers what it saw. */
async function lookAround(env: Record<string, string>, secrets: string[]) {
  await using house = await openHouse({
    runtime: "bubblewrap",
    agent: "real",
    env: { ANTHROPIC_API_KEY: "", ANTHROPIC_BASE_URL: "", ...env },
  });
  const made = await house.hub.create(session("Look around."));
  await house.hub.start(made.id);
  const ended = await house.hub.until(made.id);
  const events = await house.hub.events(made.id);
  expect(ended).toMatchObject({ status: "completed", error: null });
  const branch = `claude/implementation-${made.id.slice(-8)}`;
  const dump = await house.forge.git(REPOSITORY, "show", `${branch}:dump.txt`);
  expect(dump).toContain("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=1");
  const told = JSON.stringify(events) + house.hub.output();
  for (const secret of [...secrets, KEY, FORGE_TOKEN, HUB_SECRET]) {
    expect(dump.includes(secret)).toBe(false);
    expect(told.includes(secret)).toBe(false);
  }
  const calls = events.filter(({ kind }) => kind === "model.called").map(({ body }) => body);
  expect(calls.filter(({ status }) => status === 429)).toHaveLength(1);
  const retries = events.filter(({ kind }) => kind === "api.retried").length;
  const answered = calls.filter(({ status }) => status === 200);
  return { answered, retries, dump, output: house.hub.output() };
}

test("Amazon Bedrock with the role of a container, whose credentials expire meanwhile", async () => {
  await using model = await createScriptedModel({ scenario, apiKey: KEY });
  const accounts = [accountOf("one"), accountOf("two")];
  const second = accountOf("two");
  await using bedrock = await createBedrockStandIn({
    model,
    apiKey: KEY,
    // What the role gives first has expired already, whatever it says of itself.
    account: second,
    region: "eu-west-1",
  });
  let asked = 0;
  const role = await listenOnLoopback(
    createServer((_req, res) => {
      const { accessKeyId, secretAccessKey, sessionToken } = accounts[asked] ?? second;
      asked += 1;
      res.setHeader("content-type", "application/json").end(
        JSON.stringify({
          AccessKeyId: accessKeyId,
          SecretAccessKey: secretAccessKey,
          Token: sessionToken,
          Expiration: new Date(Date.now() + 3_600_000).toISOString(),
        }),
      );
    }),
  );
  const { answered, retries, dump } = await lookAround(
    {
      CLAUDE_CODE_USE_BEDROCK: "1",
      AWS_REGION: "eu-west-1",
      ANTHROPIC_BEDROCK_BASE_URL: bedrock.url,
      AWS_CONTAINER_CREDENTIALS_FULL_URI: `${role.url}/role`,
      AWS_EC2_METADATA_DISABLED: "true",
    },
    accounts.flatMap((account) => Object.values(account)),
  );
  await role.close();
  expect(dump).toContain("CLAUDE_CODE_USE_BEDROCK=1");
  expect([answered, retries]).toMatchObject([[usage, usage], 1]);
  expect(bedrock.refused).toEqual(["expired token"]);
  expect(asked).toBe(2);
  expect(bedrock.served[0]).toMatch(/^\/model\/eu\.anthropic\.claude-.*\/invoke-with-response-str/);
});

test("Amazon Bedrock with the keys of a profile, and a stream that breaks off", async () => {
  await using model = await createScriptedModel({ scenario: scenarioWith(true), apiKey: KEY });
  await using temp = await createTempDir("aws");
  const account = { accessKeyId: "AKIA-of-a-profile", secretAccessKey: "secret-of-a-profile" };
  const file = join(temp.path, "credentials");
  await writeFile(
    file,
    `[work]\naws_access_key_id = ${account.accessKeyId}\naws_secret_access_key = ${account.secretAccessKey}\n`,
  );
  await using bedrock = await createBedrockStandIn({
    model,
    apiKey: KEY,
    account,
    region: "us-east-1",
  });
  const { answered, retries } = await lookAround(
    {
      CLAUDE_CODE_USE_BEDROCK: "1",
      AWS_REGION: "us-east-1",
      AWS_PROFILE: "work",
      AWS_SHARED_CREDENTIALS_FILE: file,
      ANTHROPIC_BEDROCK_BASE_URL: bedrock.url,
    },
    Object.values(account),
  );
  expect(bedrock.refused).toEqual([]);
  expect(retries).toBe(2);
  // The one that broke off costs what was seen of it.
  expect(answered).toMatchObject([usage, { inputTokens: usage.inputTokens }, usage]);
});

test("Google Vertex with the role of the machine", async () => {
  await using model = await createScriptedModel({ scenario, apiKey: KEY });
  const token = "ya29.token-of-the-machine";
  await using metadata = await createMetadataStandIn(() => token);
  await using vertex = await createVertexStandIn({
    model,
    apiKey: KEY,
    token,
    projectId: "acme-models",
    region: "us-east5",
  });
  const { answered, dump } = await lookAround(
    {
      CLAUDE_CODE_USE_VERTEX: "1",
      CLOUD_ML_REGION: "us-east5",
      ANTHROPIC_VERTEX_PROJECT_ID: "acme-models",
      ANTHROPIC_VERTEX_BASE_URL: vertex.url,
      GCE_METADATA_HOST: metadata.host,
      METADATA_SERVER_DETECTION: "assume-present",
    },
    [token, "acme-models"],
  );
  expect(dump).toContain("CLAUDE_CODE_USE_VERTEX=1");
  expect(answered).toMatchObject([usage, usage]);
  expect(metadata.asked).toBe(1);
  expect(vertex.refused).toBe(0);
});

/** To a model that knows nothing of subscriptions. */
async function handOn(req: IncomingMessage, res: ServerResponse, url: string): Promise<void> {
  const answered = await fetch(`${url}${req.url}`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-api-key": KEY },
    body: await readBody(req, 10_000_000),
  });
  res.writeHead(answered.status, { "content-type": answered.headers.get("content-type") ?? "" });
  res.end(Buffer.from(await answered.arrayBuffer()));
}

test("a Claude subscription: its login stays outside, and its renewal is seen at once", async () => {
  await using temp = await createTempDir("login");
  const token = "sk-ant-oat01-token-of-the-subscription";
  const seen: (string | undefined)[] = [];
  await using model = await createScriptedModel({ scenario, apiKey: KEY });
  const front = await listenOnLoopback(
    createServer((req, res) => {
      seen.push(req.headers.authorization);
      handOn(req, res, model.url).catch(() => res.destroy());
    }),
  );
  await mkdir(join(temp.path, ".claude"));
  await writeFile(
    join(temp.path, ".claude/.credentials.json"),
    JSON.stringify({
      claudeAiOauth: {
        accessToken: token,
        refreshToken: "sk-ant-ort01-refresh-of-the-subscription",
        expiresAt: Date.now() + 3_600_000,
      },
    }),
  );
  const { answered, output } = await lookAround(
    { CLAUDE_AUTH_HOST_DIR: temp.path, ANTHROPIC_BASE_URL: front.url },
    [token, "sk-ant-ort01-refresh-of-the-subscription"],
  );
  await front.close();
  expect(answered).toMatchObject([usage, usage]);
  expect(new Set(seen)).toEqual(new Set([`Bearer ${token}`]));
  expect(output).toContain("THE MODEL IS ASKED WITH THE LOGIN OF A CLAUDE SUBSCRIPTION");
});
