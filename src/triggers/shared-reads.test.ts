import { expect, test, vi } from "vitest";
import type { ForgeRepository } from "../forge/forge.ts";
import { createSharedReads } from "./shared-reads.ts";

const unused = () => Promise.reject(new Error("nobody asks for that here"));

function repositoryWith(permissionOf: ForgeRepository["permissionOf"]) {
  const reads = { facts: unused, issue: unused, pullRequest: unused };
  // Only what is shared is asked for.
  return createSharedReads(
    Object.assign(Object.create(null), reads, { comment: unused, comments: unused, permissionOf }),
  );
}

test("who asks for the same shares an answer, and who asks for something else does not", async () => {
  const read = vi.fn<ForgeRepository["permissionOf"]>((login) =>
    Promise.resolve(login === "ada" ? "admin" : "read"),
  );
  const { permissionOf } = repositoryWith(read);
  const answers = await Promise.all([
    permissionOf("ada"),
    permissionOf("ada"),
    permissionOf("eve"),
  ]);
  expect(answers).toEqual(["admin", "admin", "read"]);
  expect(read).toHaveBeenCalledTimes(2);
});

test("what failed is asked for anew", async () => {
  const read = vi
    .fn<ForgeRepository["permissionOf"]>(() => Promise.resolve("write"))
    .mockRejectedValueOnce(new Error("no"));
  const { permissionOf } = repositoryWith(read);
  await expect(permissionOf("ada")).rejects.toThrow("no");
  expect(await permissionOf("ada")).toBe("write");
});
