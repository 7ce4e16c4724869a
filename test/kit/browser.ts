import { existsSync } from "node:fs";
import { chromium } from "playwright-core";
import type { Page } from "playwright-core";

/** Debian's package. */
const CHROMIUM = "/usr/bin/chromium";

/** Tells why there is no browser; null: there is one. */
export const noBrowser = existsSync(CHROMIUM) ? null : "chromium is not installed";

export interface TestPage extends AsyncDisposable {
  page: Page;
  /** What the page has complained of, and whom else than its own origin it has asked. */
  complaints(): string[];
}

/** A page in a browser of its own, which finds no host but this machine. */
export async function openPage(url: string): Promise<TestPage> {
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    chromiumSandbox: process.getuid?.() !== 0,
    env: { LANG: "C.UTF-8", TZ: "UTC" },
    args: ["--disable-quic", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"],
  });
  const page = await browser.newPage();
  const complaints: string[] = [];
  page.on("pageerror", ({ message }) => complaints.push(message));
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(message.text());
  });
  page.on("request", (request) => {
    if (new URL(request.url()).origin !== new URL(url).origin) complaints.push(request.url());
  });
  await page.goto(url);
  return {
    page,
    complaints: () => complaints,
    [Symbol.asyncDispose]: () => browser.close(),
  };
}
