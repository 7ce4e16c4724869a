import { expect, test } from "vitest";
import { HubError, unavailable } from "../core/errors.ts";
import { asHubError, hasCode, isUnavailable } from "./failure.ts";

function coded(code: string, message = "x"): Error {
  return Object.assign(new Error(message), { code });
}

test.each([
  ["a refused connection", coded("ECONNREFUSED")],
  ["a socket that is gone", coded("ENOENT")],
  ["a name that cannot be looked up for now", coded("EAI_AGAIN")],
  ["a host that cannot be reached", coded("EHOSTUNREACH")],
  ["a server that is stopped", coded("57P01")],
  ["a server that is still starting", coded("57P03")],
  ["too many connections", coded("53300")],
  ["a broken connection", coded("08006")],
  ["what the driver says without a code", new Error("Connection terminated unexpectedly")],
  ["all addresses of a host refusing", new AggregateError([coded("ECONNREFUSED")])],
  ["one of these as the cause", new Error("x", { cause: coded("ECONNRESET") })],
  ["what was found unavailable before", unavailable("database")],
])("%s means that the database is unavailable", (_name, error) => {
  expect(isUnavailable(error)).toBe(true);
  expect(asHubError(error)).toMatchObject({ code: "unavailable", status: 503 });
});

test.each([
  ["a broken constraint", coded("23505")],
  ["a statement that took too long", coded("57014")],
  ["an error of the hub's own", new HubError("not_found", "x")],
  ["something that is no error", "ECONNREFUSED"],
])("%s is not taken for that, and stays as it is", (_name, error) => {
  expect(isUnavailable(error)).toBe(false);
  expect(asHubError(error)).toBe(error);
});

test("codes are compared with all that are asked for", () => {
  expect(hasCode(coded("EEXIST"), "ENOENT", "EEXIST")).toBe(true);
  expect(hasCode(coded("EEXIST"), "ENOENT")).toBe(false);
  expect(hasCode({ code: "EEXIST" }, "EEXIST")).toBe(false);
});
