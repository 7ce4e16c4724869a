import { expect, test } from "vitest";
import { faultSentence, readRepositoryFile } from "./repository-file.ts";

async function faultsOf(text: string): Promise<string[]> {
  const { faults } = await readRepositoryFile(text);
  return faults.map(({ message, line }) => `${line}: ${message}`);
}

test("a file says what it says, and an empty one nothing", async () => {
  const { settings, faults } = await readRepositoryFile(
    "triggers:\n  mention: off\n  label: true\nwho:\n  users: ['@ada']\nbudget: {day: {costUsd: 2.5}}\n",
  );
  expect(faults).toEqual([]);
  expect(settings).toMatchObject({
    triggers: { mention: false, label: true },
    who: { users: ["ada"] },
    budget: { day: { costUsd: 2.5 } },
  });
  expect(await faultsOf("")).toEqual([]);
  expect(await faultsOf("# nothing yet\n")).toEqual([]);
});

test("each fault has its line", async () => {
  expect(await faultsOf("who:\n  permission: write\n  nobody: x\n")).toEqual([
    expect.stringMatching(/^3: who: .*nobody/),
  ]);
  expect(
    await faultsOf("egress:\n  - a.example.com\n  - 10.0.0.1\nrepair:\n  attempts: 9\n"),
  ).toEqual([
    expect.stringMatching(/^3: egress\.1: .*is an address/),
    expect.stringMatching(/^5: repair\.attempts: /),
  ]);
  expect(await faultsOf("image: x\ntrigers: {}\n")).toEqual([
    expect.stringMatching(/^2: .*trigers/),
  ]);
  expect(await faultsOf("triggers:\n  mention: perhaps\n")).toEqual([
    "2: triggers.mention: must be on or off",
  ]);
  expect(await faultsOf("- a list\n")).toEqual([expect.stringMatching(/^1: /)]);
});

test("what is no YAML is told at its line, and says nothing else", async () => {
  expect(await faultsOf("image: x\negress: [\n")).toEqual([
    expect.stringMatching(/^[23]: is not YAML/),
  ]);
  expect(await faultsOf("a: 1\na: 2\n")).toEqual(["2: is not YAML"]);
  const bomb = Array.from(
    { length: 8 },
    (_, n) =>
      `a${n}: &a${n} [${Array.from({ length: 10 }, () => (n === 0 ? "x" : `*a${n - 1}`)).join(",")}]\n`,
  ).join("");
  expect(await faultsOf(bomb)).toEqual(["1: is not YAML"]);
  expect(faultSentence((await readRepositoryFile("[")).faults)).toBe(
    ".github/claude-hub.yml is not YAML",
  );
});
