import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { z } from "zod";

/** What a sealed text looks like, in JSON. */
const Sealed = z.object({
  version: z.literal(1),
  nonce: z.base64(),
  tag: z.base64(),
  data: z.base64(),
});

const CIPHER = "aes-256-gcm";
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Makes a text unreadable, and any change of it noticed. @param name What it is; another name does not open it. */
export function seal(key: Buffer, name: string, text: string): string {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, key, nonce).setAAD(Buffer.from(name));
  const data = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
  const sealed: z.infer<typeof Sealed> = {
    version: 1,
    nonce: nonce.toString("base64"),
    tag: cipher.getAuthTag().toString("base64"),
    data: data.toString("base64"),
  };
  return `${JSON.stringify(sealed)}\n`;
}

/** Null: another key, another name, or not what was sealed. */
export function unseal(key: Buffer, name: string, sealed: string): string | null {
  try {
    const { nonce, tag, data } = Sealed.parse(JSON.parse(sealed));
    const options = { authTagLength: TAG_BYTES };
    const decipher = createDecipheriv(CIPHER, key, Buffer.from(nonce, "base64"), options)
      .setAAD(Buffer.from(name))
      .setAuthTag(Buffer.from(tag, "base64"));
    const text = [decipher.update(Buffer.from(data, "base64")), decipher.final()];
    return Buffer.concat(text).toString("utf8");
  } catch {
    // Why it does not open is nobody's business.
    return null;
  }
}
