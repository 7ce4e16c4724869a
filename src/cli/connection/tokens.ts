import { createTokens } from "../../client/tokens.ts";
import type { TokenResource } from "../../client/tokens.ts";
import { NewApiToken } from "../../core/api-token.ts";
import { terminalLine } from "../../core/terminal-text.ts";
import type { NewTokenOptions, TokenOptions } from "../commands/token.ts";
import { CommandError } from "../exit.ts";
import { printJson } from "../screen/json.ts";
import { table } from "../screen/table.ts";
import { ago, moment } from "../screen/time.ts";
import { access } from "./connect.ts";

const DAY_MS = 86_400_000;
const NAME_CHARS = 40;

/** The token alone goes to standard output, so that it can be kept without having been on the screen. */
export async function createToken(name: string, options: NewTokenOptions): Promise<void> {
  const { repo, expires, scope } = options;
  const wanted = NewApiToken.safeParse({
    name,
    scopes: [scope],
    ...(repo === undefined ? {} : { repositories: repo }),
    ...(expires === undefined ? {} : { expiresAt: inDays(expires) }),
  });
  if (!wanted.success) {
    const [issue] = wanted.error.issues;
    throw new CommandError("usage", `${issue?.path.join(".")}: ${issue?.message}`);
  }
  const made = await createTokens(await access(options)).create(wanted.data);
  if (options.json === true) return printJson(made);
  process.stderr.write(`It is not shown again; its id is ${made.id}.\n`);
  process.stdout.write(`${made.token}\n`);
}

export async function listTokens(options: TokenOptions): Promise<void> {
  const hub = createTokens(await access(options));
  const tokens: TokenResource[] = [];
  for (let cursor: string | undefined; ;) {
    const page = await hub.list(cursor);
    tokens.push(...page.tokens);
    if (page.nextCursor === null) break;
    cursor = page.nextCursor;
  }
  if (options.json === true) return printJson(tokens);
  const head = ["ID", "NAME", "SCOPES", "LIMITED TO", "LAST USED", "STATE"];
  process.stdout.write(table(head, tokens.map(row)));
}

export async function revokeToken(id: string, options: TokenOptions): Promise<void> {
  const revoked = await createTokens(await access(options)).revoke(id);
  if (options.json === true) return printJson(revoked);
  process.stdout.write(`Revoked ${terminalLine(revoked.name, NAME_CHARS)}.\n`);
}

function row(token: TokenResource): string[] {
  const { repositories, orchestrationId, lastUsedAt } = token;
  const limits = [
    ...(repositories ?? []),
    ...(orchestrationId === null ? [] : [`orchestration ${orchestrationId}`]),
  ];
  return [
    token.id,
    terminalLine(token.name, NAME_CHARS),
    token.scopes.join(" "),
    limits.length === 0 ? "-" : limits.join(" "),
    lastUsedAt === null ? "never" : ago(lastUsedAt),
    stateOf(token),
  ];
}

function stateOf({ revokedAt, expiresAt }: TokenResource): string {
  if (revokedAt !== null) return `revoked ${moment(revokedAt)}`;
  if (expiresAt === null) return "good";
  return `${Date.parse(expiresAt) > Date.now() ? "good until" : "expired"} ${moment(expiresAt)}`;
}

function inDays(text: string): string {
  const days = Number(text);
  if (/^\d{1,5}$/.test(text) && days > 0) return new Date(Date.now() + days * DAY_MS).toISOString();
  throw new CommandError("usage", "--expires must be a number of days");
}
