import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";

const AUTHORIZATION =
  /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request, SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/;

/**
 * Checks a request against Signature Version 4 as AWS describes it, by nothing but hashes.
 * Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html
 *
 * @returns Why it is refused, or null.
 */
export function signatureFault(
  request: IncomingMessage,
  body: Buffer,
  account: { accessKeyId: string; secretAccessKey: string; region: string; service: string },
): string | null {
  const parts = AUTHORIZATION.exec(request.headers.authorization ?? "");
  if (parts === null) return "no signature";
  const [, keyId = "", day = "", region = "", service = "", names = "", shown = ""] = parts;
  if (keyId !== account.accessKeyId) return "unknown key";
  if (region !== account.region || service !== account.service) return "wrong scope";
  const signed = names.split(";");
  const header = (name: string) => String(request.headers[name] ?? "");
  if (!signed.includes("host") || !signed.includes("x-amz-date")) return "too little is signed";
  const amazon = Object.keys(request.headers).filter((name) => name.startsWith("x-amz-"));
  if (amazon.some((name) => !signed.includes(name))) return "not all of x-amz-* is signed";
  if (header("x-amz-content-sha256") !== hash(body)) return "wrong hash of the body";

  const [path = "", query = ""] = (request.url ?? "/").split("?");
  const canonical = [
    request.method ?? "",
    // Every service but S3 has each step of the path encoded once more.
    path.split("/").map(encodeStep).join("/"),
    query.split("&").toSorted().join("&"),
    ...signed.map((name) => `${name}:${header(name).trim().replaceAll(/ +/g, " ")}`),
    "",
    names,
    hash(body),
  ].join("\n");
  const date = header("x-amz-date");
  if (!date.startsWith(day)) return "wrong day";
  const scope = `${day}/${region}/${service}/aws4_request`;
  const toSign = ["AWS4-HMAC-SHA256", date, scope, hash(canonical)].join("\n");
  const key = [day, region, service, "aws4_request"].reduce<Buffer>(
    (derived, step) => hmac(derived, step),
    Buffer.from(`AWS4${account.secretAccessKey}`),
  );
  const right = hmac(key, toSign);
  return timingSafeEqual(right, Buffer.from(shown, "hex")) ? null : "wrong signature";
}

function hash(data: Buffer | string): string {
  return createHash("sha256").update(data).digest("hex");
}

function hmac(key: Buffer | string, data: string): Buffer {
  return createHmac("sha256", key).update(data).digest();
}

function encodeStep(step: string): string {
  return encodeURIComponent(step).replaceAll(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
