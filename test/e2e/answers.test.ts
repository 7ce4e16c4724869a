import { expect, test } from "vitest";
import { z } from "zod";
import { openDatabase } from "../../src/store/database.ts";
import { openHouse, session } from "../kit/hub/house.ts";
import type { House } from "../kit/hub/house.ts";
import { Scenario } from "../kit/model/scenario.ts";
import { standIn } from "../kit/agent/stand-in.ts";
import { waitFor } from "../kit/wait.ts";

const SCHEMA = {
  type: "object",
  properties: { colour: { type: "string" }, sure: { type: "boolean" } },
  required: ["colour", "sure"],
  additionalProperties: false,
};
/** What Claude Code prints when the model would not take the form. */
const WORDS = JSON.stringify({ type: "result", subtype: "success", result: "Just words." });
const Offer = z.object({
  model: z.string(),
  tools: z.array(z.object({ name: z.string() })).default([]),
});

/** Only the hub itself gives terms, so they are written where the hub would have put them. */
async function setTerms(house: House, id: string, terms: object): Promise<void> {
  await using database = openDatabase({
    url: house.databaseUrl,
    maxConnections: 1,
    onIdleError: () => undefined,
  });
  const statement = "update sessions set terms = $1 where id = $2";
  await database.prepared("set-terms", statement, [JSON.stringify(terms), id]);
}

async function runOnTerms(house: House, requirements: string, terms: object, type = "analysis") {
  const { hub } = house;
  await using database = openDatabase({
    url: house.databaseUrl,
    maxConnections: 1,
    onIdleError: () => undefined,
  });
  const { id } = await hub.create(session(requirements, { type }));
  const { db } = database;
  await setTerms(house, id, terms);
  await hub.start(id);
  const ended = await hub.until(id, { timeoutMs: 60_000 });
  const result = await db
    .selectFrom("results")
    .select(["answer", "summary"])
    .where("session_id", "=", id)
    .executeTakeFirst();
  return { id, ended, result, events: await hub.events(id) };
}

test(
  "the real Claude Code answers by a schema, with no tools, on a model of the session's own",
  { timeout: 90_000 },
  async () => {
    const answer = { colour: "blue", sure: true };
    const scenario = Scenario.parse({
      conversations: [{ match: "Which colour", steps: [{ structured: answer }] }],
    });
    await using house = await openHouse({ agent: "real", runtime: "bubblewrap", scenario });
    const terms = { answerSchema: SCHEMA, toolset: "none", model: "claude-haiku-4-5" };
    const { ended, result, events } = await runOnTerms(house, "Which colour?", terms);
    expect(ended).toMatchObject({ status: "completed" });
    expect(result).toEqual({ answer, summary: "" });
    const offers = house.model.requests.flatMap(({ body }) => Offer.safeParse(body).data ?? []);
    const offered = offers.flatMap(({ tools }) => tools.map(({ name }) => name));
    expect(new Set(offered)).toEqual(new Set(["StructuredOutput"]));
    expect(new Set(offers.map(({ model }) => model))).toEqual(new Set(["claude-haiku-4-5"]));
    expect(events.map(({ kind }) => kind)).not.toContain("workspace.cloned");
  },
);

test("without tools there is no repository, no other host and no branch, whatever the agent tries", async () => {
  await using house = await openHouse({ env: { CLAUDE_HUB_EGRESS_HOSTS: "example.invalid" } });
  const prompt = standIn(
    {
      run: "ls -A | wc -l; git init -q . && git fetch $ANTHROPIC_BASE_URL/../git/octo/greeter.git",
    },
    { run: `curl -s -m 5 -o /dev/null -w '%{http_code}' http://example.invalid/` },
    { model: { text: "Hi" } },
    { result: { answer: { colour: "red" } } },
  );
  const terms = { answerSchema: SCHEMA, toolset: "none" };
  const { ended, result, events } = await runOnTerms(house, prompt, terms, "implementation");
  expect(ended).toMatchObject({ status: "completed" });
  expect(result?.answer).toEqual({ colour: "red" });
  const returned = events.filter(({ kind }) => kind === "tool.returned");
  expect(returned.map(({ body }) => body["text"])).toEqual([
    expect.stringMatching(/^Exit code 128\n0\n/),
    expect.stringContaining("403"),
  ]);
  expect(JSON.stringify(events)).toContain("model answered 200");
  const refs = await house.forge.refs("octo/greeter");
  expect(Object.keys(refs).filter((ref) => ref.includes("claude/"))).toEqual([]);
});

test("no answer in the form that was asked for is a failure, and a budget of its own is kept", async () => {
  await using house = await openHouse();
  const none = await runOnTerms(house, standIn({ exit: 0 }), { answerSchema: SCHEMA });
  expect(none.ended.status).toBe("failed");
  const words = standIn({ raw: WORDS }, { result: null });
  const plain = await runOnTerms(house, words, { answerSchema: SCHEMA });
  expect(plain.ended).toMatchObject({
    status: "failed",
    error: "The agent gave no answer in the form that was asked for",
  });
  expect(plain.result).toEqual({ answer: null, summary: "Just words." });
  const poor = standIn({ model: { calls: 3 } }, { result: { answer: {} } });
  const { events } = await runOnTerms(house, poor, { answerSchema: SCHEMA, maxTokens: 1 });
  expect(events.map(({ kind }) => kind)).toContain("budget.exceeded");
});

test("a sandbox that is made in advance has no checkout either, and is the one that is used", async () => {
  await using house = await openHouse({ env: { CLAUDE_HUB_PREPARED_SANDBOXES: "2" } });
  const { hub } = house;
  const kindsOf = async (id: string) => (await hub.events(id)).map(({ kind }) => kind);
  const before = await hub.create(session("Nothing."));
  const prompt = standIn({ result: { answer: { colour: "red" } } });
  // Nothing is made for it before it has terms, since it waits for another one.
  const { id } = await hub.create(session(prompt, { type: "analysis", dependencies: [before.id] }));
  await setTerms(house, id, { answerSchema: SCHEMA, toolset: "none" });
  await hub.start(before.id);
  await hub.until(before.id);
  await waitFor(async () => (await kindsOf(id)).includes("runner.started"), {
    timeoutMs: 30_000,
    what: "the sandbox to be made in advance",
  });
  await hub.start(id);
  expect(await hub.until(id)).toMatchObject({ status: "completed" });
  const kinds = await kindsOf(id);
  expect(kinds.filter((kind) => kind === "sandbox.created")).toHaveLength(1);
  expect(kinds.indexOf("runner.started")).toBeLessThan(kinds.indexOf("session.queued"));
  expect(kinds).not.toContain("workspace.cloned");
});
