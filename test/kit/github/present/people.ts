import { fullName } from "../world.ts";
import type { World } from "../world.ts";
import type { App, Installation, Json, Reaction, Repository, Token, User } from "../state.ts";

export function nodeId(kind: string, id: number): string {
  return `${kind}_${Buffer.from(String(id)).toString("base64url")}`;
}

export function userBody(world: World, user: User): Json {
  const url = `${world.apiUrl}/users/${encodeURIComponent(user.login)}`;
  return {
    login: user.login,
    id: user.id,
    node_id: nodeId("U", user.id),
    avatar_url: `${world.url}/avatars/u/${user.id}`,
    gravatar_id: "",
    url,
    html_url: `${world.url}/${user.type === "Bot" ? "apps/" : ""}${user.login.replace("[bot]", "")}`,
    followers_url: `${url}/followers`,
    following_url: `${url}/following{/other_user}`,
    gists_url: `${url}/gists{/gist_id}`,
    starred_url: `${url}/starred{/owner}{/repo}`,
    subscriptions_url: `${url}/subscriptions`,
    organizations_url: `${url}/orgs`,
    repos_url: `${url}/repos`,
    events_url: `${url}/events{/privacy}`,
    received_events_url: `${url}/received_events`,
    type: user.type,
    user_view_type: "public",
    site_admin: false,
  };
}

export function accountBody(world: World, user: User): Json {
  return {
    ...userBody(world, user),
    name: user.login,
    company: null,
    blog: "",
    location: null,
    email: null,
    hireable: null,
    bio: null,
    public_repos: 0,
    public_gists: 0,
    followers: 0,
    following: 0,
    created_at: "2020-01-01T00:00:00Z",
    updated_at: "2020-01-01T00:00:00Z",
  };
}

export function appBody(world: World, app: App): Json {
  return {
    id: app.id,
    slug: app.slug,
    node_id: nodeId("A", app.id),
    client_id: app.clientId,
    owner: userBody(world, app.owner),
    name: app.name,
    description: "",
    external_url: world.url,
    html_url: `${world.url}/apps/${app.slug}`,
    created_at: app.createdAt,
    updated_at: app.createdAt,
    permissions: app.permissions,
    events: app.events,
    installations_count: world.installations.filter((each) => each.app === app).length,
  };
}

export function installationBody(world: World, installation: Installation): Json {
  const { id, app, account } = installation;
  const url = `${world.apiUrl}/app/installations/${id}`;
  return {
    id,
    account: userBody(world, account),
    repository_selection: installation.repositories === null ? "all" : "selected",
    access_tokens_url: `${url}/access_tokens`,
    repositories_url: `${world.apiUrl}/installation/repositories`,
    html_url: `${world.url}/settings/installations/${id}`,
    app_id: app.id,
    app_slug: app.slug,
    client_id: app.clientId,
    target_id: account.id,
    target_type: account.type === "Organization" ? "Organization" : "User",
    permissions: app.permissions,
    events: app.events,
    created_at: installation.createdAt,
    updated_at: installation.createdAt,
    single_file_name: null,
    has_multiple_single_files: false,
    single_file_paths: [],
    suspended_by: installation.suspendedAt === null ? null : userBody(world, account),
    suspended_at: installation.suspendedAt,
  };
}

export function tokenBody(token: Token, repositories: Json[] | null): Json {
  return {
    token: token.value,
    expires_at: (token.expiresAt ?? new Date()).toISOString().replace(/\.\d+Z$/, "Z"),
    permissions: token.permissions ?? token.installation?.app.permissions ?? {},
    repository_selection: repositories === null ? "all" : "selected",
    ...(repositories === null ? {} : { repositories }),
  };
}

export function reactionBody(world: World, reaction: Reaction): Json {
  return {
    id: reaction.id,
    node_id: nodeId("REA", reaction.id),
    user: userBody(world, reaction.user),
    content: reaction.content,
    created_at: reaction.createdAt,
  };
}

const CONTENTS = ["+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes"];

export function rollup(url: string, reactions: Reaction[]): Json {
  const counts = CONTENTS.map((content): [string, number] => [
    content,
    reactions.filter((each) => each.content === content).length,
  ]);
  return { url, total_count: reactions.length, ...Object.fromEntries(counts) };
}

/** How somebody stands to a repository, as GitHub names it. */
export function association(repository: Repository, user: User): string {
  if (repository.owner === user) return "OWNER";
  if (repository.collaborators.has(user)) return "COLLABORATOR";
  const merged = repository.issues.some(
    (each) => each.user === user && each.pull?.mergedAt != null,
  );
  return merged ? "CONTRIBUTOR" : "NONE";
}

export function repositoryUrl(world: World, repository: Repository): string {
  return `${world.apiUrl}/repos/${fullName(repository)}`;
}

export function pageUrl(world: World, repository: Repository): string {
  return `${world.url}/${fullName(repository)}`;
}
