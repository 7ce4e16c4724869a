import { expect, test } from "vitest";
import { createRunnerHouse } from "../../test/kit/hub/runner-house.ts";
import { standIn } from "../../test/kit/agent/stand-in.ts";

const WITHOUT = { toolset: "none", answerSchema: { type: "object" } } as const;

test("without tools there is no checkout, and an answer by a schema is kept whole", async () => {
  await using house = await createRunnerHouse({ edit: false });
  const answer = { colour: "blue", deep: [{ "\u00e9": null }] };
  const prompt = standIn({ run: "ls -A" }, { result: { answer } });
  expect(await house.perform({ ...WITHOUT, prompt })).toMatchObject({
    outcome: "completed",
    answer,
    summary: "",
    artifacts: [],
  });
  expect(house.bodies("workspace.cloned")).toEqual([]);
  expect(house.bodies("tool.returned")).toMatchObject([{ text: "" }]);
});

test("an answer that is too long is no answer", async () => {
  await using house = await createRunnerHouse({ edit: false });
  const prompt = standIn({ result: { answer: { text: "x".repeat(300_000) } } });
  const result = await house.perform({ ...WITHOUT, prompt });
  expect(result).toMatchObject({ outcome: "failed", answer: null });
  expect(result.error).toMatch(/^The agent's answer has 30\d{4} characters$/);
});

test("where none was asked for, none is sent", async () => {
  await using house = await createRunnerHouse();
  const prompt = standIn({ result: { summary: "As usual." } });
  expect(await house.perform({ prompt })).toMatchObject({ summary: "As usual.", answer: null });
});
