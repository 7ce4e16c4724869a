import { expect, test } from "vitest";
import { EngineError, engineError, isStatus } from "./failure.ts";

const SOCKET = "/run/engine.sock";

function answer(statusCode: number, message: string) {
  return Object.assign(new Error(`(HTTP code ${statusCode}) unexpected - ${message} `), {
    statusCode,
    json: { message },
  });
}

test.each([
  ["ENOENT", /^no container engine listens on \/run\/engine\.sock: start it/, true],
  ["ECONNREFUSED", /^no container engine listens/, true],
  ["EACCES", /no permission to use the container engine's socket/, false],
  ["ECONNRESET", /cut the connection/, true],
  ["EPROTO", /could not be asked: went wrong/, false],
])("%s is told in the operator's words", (code, words, away) => {
  const error = engineError(Object.assign(new Error("went wrong"), { code }), SOCKET);
  expect(error).toBeInstanceOf(EngineError);
  expect(error.message).toMatch(words);
  expect(error).toMatchObject({ away, status: null });
});

test.each([
  [404, "No such image: claudecode:latest", /^the image claudecode:latest is not there: build it/],
  [
    500,
    "write /var/lib/docker/x: no space left on device",
    /^the disk of the container engine is full/,
  ],
  [400, "Unknown runtime specified kata", /CLAUDE_CONTAINER_RUNTIME/],
  [409, "Conflict. The name is in use", /^the container engine refused: Conflict/],
])("an answer %i %s is told in the operator's words", (status, said, words) => {
  const error = engineError(answer(status, said), SOCKET);
  expect(error.message).toMatch(words);
  expect(isStatus(error, status)).toBe(true);
});
