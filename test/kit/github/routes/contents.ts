import { z } from "zod";
import { GitHubError, notFound } from "../errors.ts";
import { commitFiles, commitOf, git, resolve, tryGit } from "../git.ts";
import { moving } from "../moving.ts";
import { pageUrl, repositoryUrl } from "../present/people.ts";
import { ok, read, repositoryRoutes } from "../router.ts";
import type { RepositoryCall, Route } from "../router.ts";
import type { Json } from "../state.ts";

const fileRequest = z.object({
  message: z.string(),
  content: z.string(),
  sha: z.string().optional(),
  branch: z.string().optional(),
});

export const contentsRoutes: Route[] = [
  ...repositoryRoutes(["contents:read"], { "GET /contents/{path}": contents }),
  ...repositoryRoutes(["contents:write"], { "PUT /contents/{path}": putContents }),
];

async function contents({ world, repository, params, query, accept }: RepositoryCall) {
  const path = (params["path"] ?? "").replace(/\/$/, "");
  const ref = query.get("ref") ?? repository.defaultBranch;
  const sha = await resolve(repository, ref);
  const root = `040000 tree ${sha} -\t`;
  const line = path === "" ? root : await git(repository, "ls-tree", "-l", sha, "--", path);
  const [, kind, blob = "", size = "0"] = /^\d+ (\w+) (\w+) +(\S+)\t/.exec(line) ?? [];
  if (kind === undefined) throw notFound();
  const base = `${repositoryUrl(world, repository)}/contents/`;
  const entry = (name: string, type: string, object: string, bytes: string): Json => {
    const url = `${base}${name}?ref=${ref}`;
    const html = `${pageUrl(world, repository)}/${type === "dir" ? "tree" : "blob"}/${ref}/${name}`;
    const gitUrl = `${repositoryUrl(world, repository)}/git/blobs/${object}`;
    return {
      name: name.split("/").at(-1),
      path: name,
      sha: object,
      url,
      type,
      size: Number(bytes) || 0,
      html_url: html,
      git_url: gitUrl,
      download_url: type === "dir" ? null : html,
      _links: {
        self: url,
        git: gitUrl,
        html,
      },
    };
  };
  if (kind === "tree") {
    const listed = await git(repository, "ls-tree", "-l", `${sha}:${path}`);
    const bodies = listed.split("\n").map((each) => {
      const [, type, object = "", bytes = "0", name = ""] =
        /^\d+ (\w+) (\w+) +(\S+)\t(.*)$/.exec(each) ?? [];
      return entry(
        path === "" ? name : `${path}/${name}`,
        type === "tree" ? "dir" : "file",
        object,
        bytes,
      );
    });
    return ok(bodies);
  }
  // Git's output is trimmed at its end; the size says how much of a last line break is missing.
  const text = await git(repository, "cat-file", "blob", blob);
  const whole = Buffer.from(text);
  const bytes = Buffer.concat([
    whole,
    Buffer.from("\n".repeat(Math.max(0, Number(size) - whole.length))),
  ]);
  if (/\braw\b/.test(accept)) return { status: 200, text: bytes.toString("utf8") };
  const content = bytes.toString("base64").replaceAll(/(.{60})/g, "$1\n");
  return ok({ ...entry(path, "file", blob, size), encoding: "base64", content });
}

async function putContents(call: RepositoryCall) {
  const { repository, user } = call;
  const asked = read(fileRequest, call);
  const path = call.params["path"] ?? "";
  const name = asked.branch ?? repository.defaultBranch;
  await resolve(repository, name);
  const known = await tryGit(repository, "rev-parse", "-q", "--verify", `${name}:${path}`);
  if (known !== null && known !== asked.sha) {
    throw new GitHubError(409, `${path} does not match ${asked.sha ?? ""}`);
  }
  const text = Buffer.from(asked.content, "base64").toString("utf8");
  const sha = await moving(call, async () =>
    commitFiles(repository, {
      branch: name,
      files: { [path]: text },
      message: asked.message,
      author: {
        name: user.login,
        email: `${user.id}+${user.login}@users.noreply.localhost`,
      },
    }),
  );
  const { tree, parents, author, committer, message } = await commitOf(repository, sha);
  const base = `${repositoryUrl(call.world, repository)}/git`;
  const commit = {
    sha,
    node_id: `C_${sha}`,
    author,
    committer,
    message,
    url: `${base}/commits/${sha}`,
    html_url: `${pageUrl(call.world, repository)}/commit/${sha}`,
    tree: {
      sha: tree,
      url: `${base}/trees/${tree}`,
    },
    parents: parents.map((parent) => ({
      sha: parent,
      url: `${base}/commits/${parent}`,
    })),
    verification: {
      verified: false,
      reason: "unsigned",
      signature: null,
      payload: null,
    },
  };
  return { status: known === null ? 201 : 200, body: { content: null, commit } };
}
