import { expect, test } from "vitest";
import { BOT, openGitHubHouse } from "../kit/bot/github-house.ts";
import type { GitHubHouse } from "../kit/bot/github-house.ts";
import { REPOSITORY } from "../kit/hub/house.ts";
import { standIn } from "../kit/agent/stand-in.ts";
import type { StandInStep } from "../kit/agent/stand-in.ts";
import { waitFor } from "../kit/wait.ts";

const LONG = { timeout: 300_000 };
const ENV = { CLAUDE_HUB_MIRROR_MAX_AGE_MS: "0", CLAUDE_HUB_FORGE_THROTTLE: "false" };

/** Two pushes; between them the agent waits for a branch that only somebody else can make. */
const TWICE: StandInStep[] = [
  { write: { path: "one.md", content: "1\n" } },
  { commit: "One" },
  { push: true },
  { run: "until git fetch -q origin go; do sleep 0.2; done" },
  { write: { path: "two.md", content: "2\n" } },
  { commit: "Two" },
  { push: true },
  { result: { summary: "Both." } },
];

function writing(path: string): StandInStep[] {
  return [
    { write: { path, content: "1\n" } },
    { commit: "One" },
    { result: { summary: `Wrote ${path}.` } },
  ];
}

async function asked(house: GitHubHouse, steps: StandInStep[]) {
  const body = `${BOT} please\n${standIn(...steps)}`;
  return (await house.github.as("ada").openIssue(REPOSITORY, { title: "It", body })).number;
}

const branchesOf = async ({ repository }: GitHubHouse) =>
  (await repository.git("for-each-ref", "--format=%(refname)", "refs/heads/claude")).split("\n");

/** What was asked of the App, by the permissions that were asked for. */
function issued({ github }: GitHubHouse): string[] {
  return github.requests
    .filter(({ route }) => route === "/app/installations/{installation_id}/access_tokens")
    .map(({ body }) => JSON.stringify(body ?? null));
}

/** Tokens that were shown for an endpoint of git, each once. */
function shown({ github }: GitHubHouse, service: string): Set<string | null> {
  const asked_ = github.requests.filter(
    ({ kind, path, status }) => kind === "git" && path.includes(service) && status === 200,
  );
  return new Set(asked_.map(({ token }) => token));
}

const revoked = ({ github }: GitHubHouse) =>
  github.requests
    .filter(({ method, route }) => method === "DELETE" && route === "/installation/token")
    .map(({ token, status }) => ({ token, status }));

test(
  "each session pushes with a token of its own, which is taken back at its end",
  LONG,
  async () => {
    await using house = await openGitHubHouse({ env: ENV, repository: { private: true } });
    const numbers = [await asked(house, writing("a.md")), await asked(house, writing("b.md"))];
    await house.said(numbers[0] ?? 0, "Wrote a.md.", 120_000);
    await house.said(numbers[1] ?? 0, "Wrote b.md.", 120_000);
    const pushed = shown(house, "git-receive-pack");
    expect(pushed.size).toBe(2);
    const read = shown(house, "git-upload-pack");
    for (const token of pushed) expect(read.has(token)).toBe(false);
    await waitFor(() => revoked(house).length === 2, {
      timeoutMs: 60_000,
      what: "tokens to be taken back",
    });
    expect(revoked(house)).toEqual(
      expect.arrayContaining([...pushed].map((token) => ({ token, status: 204 }))),
    );
    const forGit = issued(house).filter((body) => !body.includes("issues"));
    const repositories = ["greeter"];
    const push = { repositories, permissions: { contents: "write", metadata: "read" } };
    expect(forGit.filter((body) => body === JSON.stringify(push))).toHaveLength(2);
    expect(forGit.filter((body) => body.includes('"contents":"read"')).length).toBeGreaterThan(0);
    expect(forGit.join()).not.toContain("workflows");
    for (const token of pushed) expect(house.hub.output()).not.toContain(token);
  },
);

test.each([
  ["all tokens are revoked", ({ github }: GitHubHouse) => github.revokeTokens()],
  [
    "the App is installed anew",
    ({ github, app, installation }: GitHubHouse) => {
      installation.uninstall();
      github.install(app, "octo");
    },
  ],
])("in the middle of a session %s, and it goes on", LONG, async (_what, strike) => {
  await using house = await openGitHubHouse({ env: ENV, repository: { private: true } });
  const number = await asked(house, TWICE);
  const [branch = ""] = await waitFor(
    async () => {
      const found = await branchesOf(house);
      return found[0] === "" ? undefined : found;
    },
    { timeoutMs: 120_000, what: "the first push" },
  );
  strike(house);
  await house.repository.push({ by: "ada", branch: "go", files: { "go.md": "go\n" } });
  await house.said(number, "Both.", 120_000);
  expect(await house.repository.git("show", `${branch}:two.md`)).toBe("2");
  expect(house.pulls()).toHaveLength(1);
  expect(shown(house, "git-receive-pack").size).toBe(2);
});

test("sessions that may change workflows push them with the right to do so", LONG, async () => {
  const env = { ...ENV, CLAUDE_HUB_PUSH_WORKFLOWS: "true" };
  await using house = await openGitHubHouse({ env });
  const number = await asked(house, writing("a.md"));
  // This App may not; so sessions push all else.
  await house.said(number, "Wrote a.md.", 120_000);
  expect(house.pulls()).toHaveLength(1);
  expect(house.hub.output()).toContain("the App may not change workflows");
});

test("as a person with a token the hub does the same, and takes nothing back", LONG, async () => {
  await using house = await openGitHubHouse({
    account: "person",
    env: ENV,
    repository: { private: true },
  });
  const number = await asked(house, writing("a.md"));
  await house.said(number, "Wrote a.md.", 120_000);
  expect(house.pulls()).toMatchObject([{ isDraft: true }]);
  const { token } = house.github.user(BOT.slice(1));
  expect(shown(house, "git-receive-pack")).toEqual(new Set([token]));
  expect(await house.hub.stop()).toBe(0);
  expect(revoked(house)).toEqual([]);
});

test(
  "clocks that are hours apart: the App is believed, and its tokens are neither used too long nor made too often",
  LONG,
  async () => {
    await using house = await openGitHubHouse({ env: ENV });
    const { github, hub } = house;
    const hour = 3_600_000;
    const own = () => issued(house).filter((body) => body.includes("issues")).length;
    const answered = async (path: string) => {
      await house.said(await asked(house, writing(path)), `Wrote ${path}.`, 120_000);
    };
    const restart = async () => {
      await github.settled();
      await hub.stop();
      await hub.restart();
      house.connect();
    };
    github.advance(3 * hour);
    await restart();
    const first = own();
    await answered("ahead.md");
    expect(own()).toBe(first + 1);
    // It has less left than is begun with.
    github.advance(hour - 300_000);
    await answered("later.md");
    expect(own()).toBe(first + 2);

    github.advance(-7 * hour);
    await restart();
    await answered("behind.md");
    expect(own()).toBe(first + 3);
    const refused = github.requests.filter(({ status }) => status === 401);
    expect(refused.length).toBeGreaterThan(0);
    expect(refused.filter(({ token }) => token?.startsWith("ghs_") === true)).toEqual([]);
  },
);
