import { Client } from "pg";
import { expect, test } from "vitest";
import { z } from "zod";
import { newId } from "../../src/core/id.ts";
import { standIn } from "../kit/agent/stand-in.ts";
import { noBrowser, openPage } from "../kit/browser.ts";
import { runCli } from "../kit/hub/cli.ts";
import { openHouse, REPOSITORY, session } from "../kit/hub/house.ts";
import type { TestHub } from "../kit/hub/hub.ts";

const HOSTS = ["one.example.com", "two.example.com"];
const HOSTILE = `{"command":"<img src=x onerror='document.title=1'>\u2028</pre><script>document.title=2</script>"}`;
const LONG = { timeout: 30_000 };
const isAnswer = (request: { method(): string }) => request.method() === "POST";

test.skipIf(noBrowser !== null)(
  "people answer on the page what sessions ask: live, as text, and as far as their token goes",
  { timeout: 180_000 },
  async () => {
    await using house = await openHouse({
      env: {
        CLAUDE_HUB_ASK_HOSTS: HOSTS.join(", "),
        // Nobody is there: the name of a host that is allowed is looked up, and not found.
        CLAUDE_HUB_EGRESS_DNS: "127.0.0.1:9",
      },
    });
    const { hub } = house;
    await using browser = await openPage(`${hub.url}/questions`);
    const { page } = browser;
    const status = page.getByRole("status");
    const cards = page.getByRole("article");
    const signIn = async (token: string) => {
      await page.getByLabel("Token").fill(token);
      await page.getByRole("button", { name: "Sign in" }).click();
    };

    await signIn("a-token-that-nobody-knows");
    await status.getByText("This token is not known.").waitFor(LONG);
    expect(browser.complaints().splice(0)).toEqual([expect.stringContaining("401")]);
    await signIn(await tokenOf(hub, { scopes: ["read"] }));
    await status.getByText("Nothing is asked.").waitFor(LONG);

    const work = standIn(...HOSTS.map((host) => ({ run: `curl -s http://${host}/` })));
    const made = await hub.create(session(`Work.\n${work}`));
    await hub.start(made.id);
    const first = cards.filter({ hasText: "May it reach the host one.example.com:80?" });
    await first.waitFor(LONG);
    await first.getByText(`${REPOSITORY} · session ${made.id}`).waitFor(LONG);
    expect(await page.title()).toBe("(1) Questions · Claude Hub");
    await first.getByRole("button", { name: "Allow" }).click();
    await status.getByText("The token has not the scope write.").waitFor(LONG);
    expect(browser.complaints().splice(0)).toEqual([expect.stringContaining("403")]);

    // The same on the command line.
    const env = { CLAUDE_HUB_URL: hub.url, CLAUDE_HUB_TOKEN: hub.secret };
    const listed = await runCli(["approvals"], { env, cwd: hub.dir });
    expect(listed).toMatchObject({ code: 0, stdout: expect.stringContaining(made.id) });
    expect(listed.stdout).toContain("one.example.com:80");

    await page.getByRole("button", { name: "Sign out" }).click();
    await signIn(await tokenOf(hub, { scopes: ["write"], repositories: ["octo/other"] }));
    await status.getByText("Nothing is asked.").waitFor(LONG);
    await page.getByRole("button", { name: "Sign out" }).click();
    await signIn(hub.secret);

    // What somebody writes stays while others are shown, and Enter is no answer.
    await first.getByLabel("Note").fill("Not today");
    await first.getByLabel("Note").press("Enter");
    await ask(house.databaseUrl, made.id, HOSTILE);
    const hostile = cards.filter({ hasText: "May it use the tool Bash?" });
    await hostile.waitFor(LONG);
    expect(await hostile.locator("pre").textContent()).toBe(HOSTILE);
    expect(await page.locator("img").count()).toBe(0);
    expect(await page.title()).toBe("(2) Questions · Claude Hub");
    expect(await first.getByLabel("Note").inputValue()).toBe("Not today");

    await page.route("**/api/**", (route) => route.abort());
    await status.getByText("The hub cannot be reached.").waitFor(LONG);
    const unheard = page.waitForEvent("requestfailed", { predicate: isAnswer, ...LONG });
    await hostile.getByRole("button", { name: "Allow" }).click();
    await unheard;
    await page.unroute("**/api/**");
    await status.getByText("The hub could not be reached. Answer again").waitFor(LONG);
    await first.getByRole("button", { name: "Deny" }).click();
    await status.getByText("Denied: one.example.com:80").waitFor(LONG);
    const second = cards.filter({ hasText: "two.example.com:80" });
    await second.getByRole("button", { name: "Allow" }).click();
    await status.getByText("Allowed: two.example.com:80").waitFor(LONG);
    expect(await hub.until(made.id)).toMatchObject({ status: "completed" });
    // It is closed with its session.
    await hostile.waitFor({ state: "detached", ...LONG });

    const answered = (await hub.events(made.id)).filter(({ kind }) => kind === "approval.answered");
    expect(answered.map(({ body }) => body)).toMatchObject([
      { number: 1, decision: "deny", by: "api", note: "Not today" },
      { number: 3, decision: "allow", by: "api", note: null },
    ]);
    expect(browser.complaints().filter((one) => !one.includes("ERR_FAILED"))).toEqual([]);
    await page.reload();
    await status.getByText("Nothing is asked.").waitFor(LONG);
  },
);

async function tokenOf(hub: TestHub, terms: Record<string, unknown>): Promise<string> {
  const answer = await hub.fetch("/api/v1/tokens", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ name: "page", ...terms }),
  });
  return z.object({ token: z.string() }).parse(await answer.json()).token;
}

/** A question as an agent that wants to do harm would have it asked. */
async function ask(databaseUrl: string, sessionId: string, detail: string): Promise<void> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  await client.query(
    `insert into approvals (id, session_id, number, key, kind, subject, detail, asked_at, due_at)
      values ($1, $2, 2, 'hostile', 'tool', 'Bash', $3, now(), now() + interval '1 hour')`,
    [newId(), sessionId, detail],
  );
  await client.end();
}
