import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, readFile, readdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createBedrockStandIn } from "../../../test/kit/model/bedrock.ts";
import { claudeCodePath } from "../../../test/kit/agent/claude-code.ts";
import { createScriptedModel } from "../../../test/kit/model/scripted-model.ts";
import { createTempDir } from "../../../test/kit/temp-dir.ts";
import { waitFor } from "../../../test/kit/wait.ts";
import { createMetadataStandIn, createVertexStandIn } from "../../../test/kit/model/vertex.ts";
import { loadConfig } from "../../config/config.ts";

type Variables = Record<string, string>;
const MAIN = join(import.meta.dirname, "../../main.ts");
const KEY = "sk-test-key-of-the-operator";
const scenario = { conversations: [{ match: "Say OK", steps: [{ text: "OK" }] }] };

async function openPlace() {
  const temp = await createTempDir("auth");
  const dir = join(temp.path, "data");
  const environment = {
    PATH: process.env["PATH"] ?? "/usr/bin:/bin",
    HOME: temp.path,
    CLAUDE_HUB_DIR: dir,
    // Nothing of the machine that runs the test is asked for a role.
    AWS_EC2_METADATA_DISABLED: "true",
    METADATA_SERVER_DETECTION: "none",
    CLAUDE_CODE_PATH: claudeCodePath,
  };

  /** Types each line when the question before it is there. */
  async function run(argv: string[], typed: [question: string, line: string][], env: Variables) {
    const [command = "", ...args] = argv;
    const child = spawn(command, args, { cwd: temp.path, env: { ...environment, ...env } });
    let output = "";
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (text: string) => (output += text));
    const closed = once(child, "close");
    for (const [question, line] of typed) {
      await waitFor(() => output.includes(question), { what: question });
      child.stdin.write(`${line}\n`);
    }
    child.stdin.end();
    await closed;
    return { exitCode: child.exitCode, output };
  }

  return {
    dir,
    run,
    auth: (args: string[], typed: string[] = [], env: Variables = {}) =>
      run(
        [process.execPath, MAIN, "auth", ...args],
        typed.map((line) => ["", line]),
        env,
      ),
    config: (env: Record<string, string> = {}) =>
      loadConfig({ env: { CLAUDE_HUB_DIR: dir, ...env } }).model.access,
    hubEnv: () => readFile(join(dir, "hub.env"), "utf8"),
    [Symbol.asyncDispose]: () => temp[Symbol.asyncDispose](),
  };
}

test("an API key is tried, and kept for the owner alone; other lines stay", async () => {
  await using at = await openPlace();
  await using model = await createScriptedModel({ scenario, apiKey: KEY });
  await mkdir(at.dir, { mode: 0o755 });
  const path = join(at.dir, "hub.env");
  await writeFile(path, "# mine\nPORT=3005\nAWS_PROFILE=old\nCLAUDE_CODE_USE_BEDROCK=1\n");
  await chmod(path, 0o644);
  const env = { ANTHROPIC_BASE_URL: model.url };
  const { exitCode, output } = await at.auth(["api-key"], [KEY], env);
  expect(output).toContain("it works (claude-haiku-4-5)");
  expect([exitCode, output.includes(KEY)]).toEqual([0, false]);
  expect(model.keysSeen).toEqual([KEY]);
  const text = await at.hubEnv();
  expect(text).toMatch(/^# mine\nPORT=3005\nANTHROPIC_API_KEY_FILE=\S+\n$/);
  const [file = ""] = await readdir(join(at.dir, "secrets"));
  for (const one of [path, join(at.dir, "secrets", file)])
    expect((await stat(one)).mode & 0o777).toBe(0o600);
  expect((await stat(at.dir)).mode & 0o777).toBe(0o700);
  expect(at.config()).toMatchObject({ form: "anthropic" });
  // A new key takes the place of the old one.
  expect(await at.auth(["api-key"], [KEY], env)).toMatchObject({ exitCode: 0 });
  expect(await readdir(join(at.dir, "secrets"))).toHaveLength(1);
  expect((await at.auth(["status"], [], env)).output).toBe(
    `Anthropic's API at ${model.url}, with a key\n`,
  );
  expect(await at.auth(["test"], [], env)).toMatchObject({ exitCode: 0 });
});

test("what does not work is told with its reason, and nothing is kept", async () => {
  await using at = await openPlace();
  await using model = await createScriptedModel({ scenario, apiKey: "another-key" });
  const env = { ANTHROPIC_BASE_URL: model.url };
  const refused = await at.auth(["api-key"], [KEY, "no"], env);
  expect(refused.exitCode).toBe(1);
  expect(refused.output).toContain("it does not work: the answer was 401: invalid x-api-key");
  expect(refused.output).toContain("check the key");
  await expect(at.hubEnv()).rejects.toThrow("ENOENT");
  expect(await readdir(join(at.dir, "secrets"))).toEqual([]);
  // A script that says no more than the key is no consent.
  expect((await at.auth(["api-key"], [KEY], env)).exitCode).toBe(1);
  expect((await at.auth(["api-key"], [], env)).output).toContain("there was no answer");
  await expect(at.hubEnv()).rejects.toThrow("ENOENT");
  expect((await at.auth(["api-key"], [KEY, "yes"], env)).exitCode).toBe(0);
  expect(await at.auth(["test"], [], env)).toMatchObject({ exitCode: 1 });
  const away = await at.auth(["test"], [], { ANTHROPIC_BASE_URL: "http://127.0.0.1:1" });
  expect(away.output).toContain("http://127.0.0.1:1 could not be reached (ECONNREFUSED)");
  expect((await at.auth(["api-key"], ["two words", "yes"], env)).output).toContain(
    "must be visible ASCII",
  );
  expect((await at.auth(["carrier-pigeon"])).output).toContain("there is no way");
});

test("Amazon Bedrock with an access key, and without any credentials", async () => {
  await using at = await openPlace();
  await using model = await createScriptedModel({ scenario, apiKey: KEY });
  const account = { accessKeyId: "AKIAOPERATOR", secretAccessKey: "secret/of+the/operator" };
  const region = "eu-west-1";
  await using bedrock = await createBedrockStandIn({ model, apiKey: KEY, account, region });
  const env = { ANTHROPIC_BEDROCK_BASE_URL: bedrock.url };
  const typed = [region, "3", account.accessKeyId, account.secretAccessKey, ""];
  const { exitCode, output } = await at.auth(["bedrock"], typed, env);
  expect([exitCode, output.includes("secret/of")]).toEqual([0, false]);
  expect(output).toContain("it works (global.anthropic.claude-haiku");
  expect(at.config()).toMatchObject({ form: "bedrock", region, profile: null });
  const none = await at.auth(["bedrock"], [region, "1", "no"], env);
  expect(none.exitCode).toBe(1);
  expect(none.output).toContain("no usable credentials for Amazon Bedrock");
  // What worked before is still there.
  expect(await at.auth(["test"], [], env)).toMatchObject({ exitCode: 0 });
});

test("Google Vertex with the role of the machine", async () => {
  await using at = await openPlace();
  await using model = await createScriptedModel({ scenario, apiKey: KEY });
  const token = "ya29.token-of-the-machine";
  await using metadata = await createMetadataStandIn(() => token);
  const place = { projectId: "acme-models", region: "global" };
  await using vertex = await createVertexStandIn({ model, apiKey: KEY, token, ...place });
  const env = {
    ANTHROPIC_VERTEX_BASE_URL: vertex.url,
    GCE_METADATA_HOST: metadata.host,
    METADATA_SERVER_DETECTION: "assume-present",
  };
  const { exitCode, output } = await at.auth(["vertex"], ["acme-models", "", ""], env);
  expect(output).toContain("it works (claude-haiku-4-5@20251001)");
  expect([exitCode, at.config()]).toMatchObject([0, { form: "vertex", ...place }]);
});

test("a subscription is tried by Claude Code itself; an expired login is named as such", async () => {
  await using at = await openPlace();
  await using model = await createScriptedModel({ scenario, apiKey: KEY });
  const env = { ANTHROPIC_BASE_URL: model.url };
  // The scripted model takes keys alone: what matters here is who asked, and that its words are told.
  const refused = await at.auth(["subscription"], ["1", "sk-ant-oat01-of-the-test", "no"], env);
  expect(refused.output).toMatch(/Claude Code says: Not logged in/);
  expect(refused.output).not.toContain("oat01-of-the-test");
  expect(model.keysSeen).toEqual(["Bearer sk-ant-oat01-of-the-test"]);
  const login = join(at.dir, "login");
  await mkdir(login, { recursive: true });
  await writeFile(
    join(login, ".credentials.json"),
    JSON.stringify({ claudeAiOauth: { accessToken: "sk-ant-oat01-old", expiresAt: 1 } }),
  );
  const expired = await at.auth(["subscription"], ["2", login, "no"], env);
  expect(expired.output).toContain("has expired at 1970-01-01");
  expect(expired.output).toContain("claude setup-token");
});

test("a secret that is typed at a terminal does not show", async () => {
  await using at = await openPlace();
  await using model = await createScriptedModel({ scenario, apiKey: KEY });
  const command = `${process.execPath} ${MAIN} auth`;
  const { output } = await at.run(
    ["script", "-qec", command, "/dev/null"],
    [
      ["1–4:", "1"],
      ["(not shown)", KEY],
    ],
    { ANTHROPIC_BASE_URL: model.url, TERM: "xterm" },
  );
  expect(output).toContain("How shall agents reach their model?");
  expect(output).toContain("it works");
  expect(output.match(new RegExp(KEY, "g")) ?? []).toEqual([]);
});
