import { expect, test } from "vitest";
import { apiUrlOf } from "./forge-address.ts";

test.each([
  ["https://github.com", "https://api.github.com"],
  ["https://github.com/", "https://api.github.com"],
  ["https://acme.ghe.com", "https://api.acme.ghe.com"],
  ["https://git.example.com", "https://git.example.com/api/v3"],
  ["http://127.0.0.1:8080/", "http://127.0.0.1:8080/api/v3"],
  // Not GitHub's own, whatever it is called.
  ["https://github.com.example.com", "https://github.com.example.com/api/v3"],
])("the API of %s is %s", (server, api) => {
  expect(apiUrlOf(server)).toBe(api);
});
