import { request } from "node:http";
import { expect, test } from "vitest";
import { startHttp } from "../../test/kit/hub/http.ts";
import { waitFor } from "../../test/kit/wait.ts";
import { newId } from "../core/id.ts";

test("who leaves before it is known who asks takes no place", async () => {
  const asked = Promise.withResolvers<void>();
  const known = Promise.withResolvers<void>();
  const access = {
    tokenId: newId(),
    scopes: ["read" as const],
    repositories: null,
    orchestrationId: null,
  };
  await using http = await startHttp({
    settings: { mcpCallsPerToken: 1 },
    deps: {
      tokens: {
        create: () => Promise.reject(new Error("none is made here")),
        list: () => Promise.resolve([]),
        revoke: () => Promise.reject(new Error("none is revoked here")),
        isGood: () => Promise.resolve(true),
        async find() {
          asked.resolve();
          await known.promise;
          return access;
        },
      },
    },
  });
  const headers = { authorization: "Bearer of-somebody" };
  const gone = Promise.withResolvers<void>();
  const early = request(`${http.url}/mcp`, { headers });
  // That it is cut off is an error to it.
  early.on("error", () => undefined).on("close", gone.resolve);
  early.end();
  await asked.promise;
  early.destroy();
  await gone.promise;
  // Who comes later is answered when the server has heard of that.
  await http.fetch("/health");
  known.resolve();
  const next = await waitFor(async () => {
    const { status } = await fetch(`${http.url}/mcp`, { headers });
    return status === 429 ? null : status;
  });
  expect(next).toBe(202);
});
