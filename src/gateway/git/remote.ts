import { z } from "zod";
import { HubError, forbidden, notFound, upstreamFailed } from "../../core/errors.ts";
import type { Repository } from "../../core/repository.ts";
import type { Secret } from "../../core/secret.ts";
import { readAtMost } from "./body.ts";
import type { Setting } from "./process.ts";
import { GitError } from "./process.ts";
import { DELIMITER, FLUSH, createPacketReader, pktLine } from "./pkt-line.ts";

/** Refs of a repository: branches and tags, by full name. */
export interface Refs {
  /** Null: the repository is empty, or its HEAD is detached. */
  defaultBranch: string | null;
  refs: ReadonlyMap<string, string>;
}

export function remoteUrl(serverUrl: string, repository: Repository): string {
  return `${serverUrl.replace(/\/+$/, "")}/${repository}.git`;
}

/** The credential as a git setting that holds for the forge alone. */
export function credentialSettings(serverUrl: string, credential: Secret | null): Setting[] {
  if (credential === null) return [];
  return [
    [`http.${serverUrl.replace(/\/+$/, "")}/.extraHeader`, `Authorization: ${basic(credential)}`],
  ];
}

/**
 * Asks the forge for its branches, tags and default branch: one request, no process, and none of the thousands of
 * refs that a forge keeps for pull requests. Source: gitprotocol-v2(5), command ls-refs.
 */
export async function listRemoteRefs(options: {
  serverUrl: string;
  repository: Repository;
  credential: Secret | null;
  timeoutMs: number;
  maxBytes: number;
  signal: AbortSignal;
}): Promise<Refs> {
  const url = `${remoteUrl(options.serverUrl, options.repository)}/git-upload-pack`;
  const signal = AbortSignal.any([options.signal, AbortSignal.timeout(options.timeoutMs)]);
  try {
    const response = await post(url, options.credential, signal);
    if (response.status !== 200 || response.body === null) throw statusError(response.status);
    return await readRefs(readAtMost(response.body, options.maxBytes));
  } catch (error) {
    throw error instanceof HubError ? error : upstreamFailed("forge", error);
  }
}

/** The forge does not know who is asking, although something was shown to it. */
class UnauthenticatedError extends Error {
  override name = "UnauthenticatedError";
}

/** Whether another credential may be worth another try: the forge took this one for nobody's. */
export function isCredentialRefused(error: unknown): boolean {
  return error instanceof HubError && error.cause instanceof UnauthenticatedError;
}

/** The same of a git process; nothing has happened at the forge then. */
export function isUnauthenticated({ stderr }: GitError): boolean {
  return /Authentication failed|could not read Username|error: 401/i.test(stderr);
}

/** What a git process's failure against the forge means for a caller. */
export function forgeError(error: unknown): unknown {
  if (!(error instanceof GitError)) return error;
  if (/HTTP 404|not found|error: 404/i.test(error.stderr)) return notFound("Repository");
  if (isUnauthenticated(error)) return refused(new UnauthenticatedError());
  if (/error: 403/i.test(error.stderr)) return refused();
  return upstreamFailed("forge", error);
}

async function post(url: string, credential: Secret | null, signal: AbortSignal) {
  const send = (target: string) =>
    fetch(target, {
      method: "POST",
      // A redirect to another host must not be given the credential, so none is followed blindly.
      redirect: "manual",
      signal,
      headers: {
        "content-type": "application/x-git-upload-pack-request",
        accept: "application/x-git-upload-pack-result",
        "git-protocol": "version=2",
        "user-agent": "git/2 (claude-hub)",
        ...(credential === null ? {} : { authorization: basic(credential) }),
      },
      body: LIST_REQUEST,
    });
  const response = await send(url);
  const location = response.headers.get("location");
  if (response.status < 300 || response.status > 399 || location === null) return response;
  // A renamed repository: the forge says where it went.
  const target = new URL(location, url);
  if (target.origin !== new URL(url).origin) throw statusError(response.status);
  await response.body?.cancel();
  return await send(target.href);
}

const LIST_REQUEST = Buffer.concat([
  pktLine("command=ls-refs\n"),
  DELIMITER,
  pktLine("symrefs\n"),
  pktLine("ref-prefix HEAD\n"),
  pktLine("ref-prefix refs/heads/\n"),
  pktLine("ref-prefix refs/tags/\n"),
  FLUSH,
]);

const RefLine = z.templateLiteral([z.hex().length(40), " ", z.string().min(1)]);

async function readRefs(body: AsyncIterable<Uint8Array>): Promise<Refs> {
  const reader = createPacketReader(body);
  const refs = new Map<string, string>();
  let defaultBranch: string | null = null;
  for (let packet = await reader.read(); packet?.kind !== "flush"; packet = await reader.read()) {
    if (packet?.kind !== "data") throw new Error("the forge's list of refs is not complete");
    const line = RefLine.safeParse(packet.data.toString().trimEnd());
    if (!line.success) throw new Error("the forge does not answer in git protocol version 2");
    const [sha = "", name = "", ...attributes] = line.data.split(" ");
    if (name !== "HEAD") refs.set(name, sha);
    else
      defaultBranch =
        attributes
          .find((attribute) => attribute.startsWith("symref-target:refs/heads/"))
          ?.slice("symref-target:refs/heads/".length) ?? null;
  }
  return { defaultBranch, refs };
}

function statusError(status: number): HubError {
  if (status === 404) return notFound("Repository");
  if (status === 401) return refused(new UnauthenticatedError());
  if (status === 403) return refused();
  return upstreamFailed("forge", new Error(`the forge answered ${status}`));
}

function refused(cause?: UnauthenticatedError): HubError {
  return forbidden("The forge refused the hub's credential for this repository", cause);
}

function basic(credential: Secret): string {
  return `Basic ${Buffer.from(`x-access-token:${credential.reveal()}`).toString("base64")}`;
}
