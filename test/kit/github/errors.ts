import type { Json } from "./state.ts";

/** An answer that is no success, as GitHub words it. */
export class GitHubError extends Error {
  readonly status: number;
  readonly more: Json;
  readonly headers: Record<string, string>;

  constructor(
    status: number,
    message: string,
    more: Json = {},
    headers: Record<string, string> = {},
  ) {
    super(message);
    this.name = "GitHubError";
    this.status = status;
    this.more = more;
    this.headers = headers;
  }
}

export function notFound(): GitHubError {
  return new GitHubError(404, "Not Found");
}

export function invalid(resource: string, field: string, message: string): GitHubError {
  return new GitHubError(422, "Validation Failed", {
    errors: [{ resource, code: "custom", field, message }],
  });
}

export function found<T>(value: T | null | undefined): T {
  if (value === undefined || value === null) throw notFound();
  return value;
}
