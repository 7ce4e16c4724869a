/**
 * Where the REST API of a GitHub server is: of github.com and of a company's own cloud beside it, of an Enterprise
 * Server below it. A token for one server is never to be shown to another.
 * Source: https://docs.github.com/en/enterprise-server/rest/using-the-rest-api/getting-started-with-the-rest-api
 */
export function apiUrlOf(serverUrl: string): string {
  const base = serverUrl.replace(/\/+$/, "");
  const { protocol, host } = new URL(base);
  if (host === "github.com") return "https://api.github.com";
  return host.endsWith(".ghe.com") ? `${protocol}//api.${host}` : `${base}/api/v3`;
}
