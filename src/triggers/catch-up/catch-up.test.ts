import pino from "pino";
import { expect, inject, test } from "vitest";
import { createTestDatabase } from "../../../test/kit/hub/database.ts";
import { createGitHub as createLocalGitHub } from "../../../test/kit/github/github.ts";
import { createReceiver } from "../../../test/kit/github/receiver.ts";
import { waitFor } from "../../../test/kit/wait.ts";
import { Secret } from "../../core/secret.ts";
import { createGitHub } from "../../forge/github/github.ts";
import { openDatabase } from "../../store/database.ts";
import { createDeliveryStore } from "../../store/deliveries/deliveries.ts";
import { createDeliveryCheckpoints } from "../../store/deliveries/delivery-checkpoints.ts";
import { createDeliveryLog } from "../../store/deliveries/delivery-log.ts";
import { createForgeWrites } from "../../store/threads/forge-writes.ts";
import { startCatchUp } from "./catch-up.ts";

const REPOSITORY = "octo/greeter";
const log = pino({ enabled: false });

test("by a personal token the hooks that this hub has heard of are asked, and no others", async () => {
  await using own = await createTestDatabase(inject("databaseServer"));
  await using database = openDatabase({ url: own.url, maxConnections: 2 });
  await using github = await createLocalGitHub();
  await github.repository(REPOSITORY, { files: "greeter" });
  const octo = github.as("octo");
  await using ours = await createReceiver();
  await using theirs = await createReceiver();
  for (const { url } of [ours, theirs])
    await octo.request("POST", `/repos/${REPOSITORY}/hooks`, {
      config: { url, content_type: "json" },
      events: ["issues"],
    });
  await octo.openIssue(REPOSITORY, { title: "Heard", body: "" });
  await github.settled();
  const deliveries = createDeliveryStore(database);
  const heard = ours.received.find(({ event }) => event === "issues");
  await deliveries.insert({
    provider: "github",
    deliveryId: heard?.guid ?? "",
    event: "issues",
    action: "opened",
    repository: REPOSITORY,
    sender: "octo",
    thread: null,
    payload: Buffer.from(heard?.text ?? ""),
    receivedAt: new Date().toISOString(),
  });
  const checkpoints = async () =>
    await database.db.selectFrom("delivery_checkpoints").select("hook").execute();
  let rung = 0;
  await using _ = await startCatchUp({
    forge: createGitHub({
      apiUrl: github.apiUrl,
      identity: { token: new Secret(github.user("octo").token) },
      timeoutMs: 10_000,
      throttle: false,
      written: createForgeWrites(database),
      log,
    }),
    deliveries,
    known: createDeliveryLog(database),
    checkpoints: createDeliveryCheckpoints(database),
    onDelivery: () => (rung += 1),
    settings: { everyMs: 50, leaseMs: 60_000, pollMs: 20 },
    executorId: "hub",
    log,
  });
  await waitFor(async () => (await checkpoints()).length === 2);
  for (const receiver of [ours, theirs]) receiver.answerWith(500);
  await octo.openIssue(REPOSITORY, { title: "Missed", body: "" });
  await waitFor(() => rung > 0, { what: "the delivery" });
  const missed = ours.received.findLast(({ event }) => event === "issues");
  const found = await createDeliveryLog(database).get({ deliveryId: missed?.guid ?? "" });
  expect(found).toMatchObject({ event: "issues", action: "opened", state: "waiting" });
  expect(JSON.parse(String(found?.payload))).toEqual(JSON.parse(missed?.text ?? ""));
  expect(await deliveries.count()).toBe(2);
  expect(await checkpoints()).toHaveLength(2);
});
