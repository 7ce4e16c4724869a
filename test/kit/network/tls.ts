import { execFile } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { createServer } from "node:tls";
import { promisify } from "node:util";

/** A certificate that nobody else trusts, made for a test. */
export interface Certificate {
  key: Buffer;
  cert: Buffer;
  certPath: string;
}

export async function makeCertificate(dir: string, name: string): Promise<Certificate> {
  const [keyPath, certPath] = [join(dir, "key.pem"), join(dir, "cert.pem")];
  const curve = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2".split(" ");
  const subject = ["-subj", `/CN=${name}`, "-addext", `subjectAltName=DNS:${name}`];
  await promisify(execFile)("openssl", [
    "req",
    "-x509",
    ...curve,
    ...subject,
    "-keyout",
    keyPath,
    "-out",
    certPath,
  ]);
  return { key: await readFile(keyPath), cert: await readFile(certPath), certPath };
}

/** TLS in front of a plain server. */
export async function createTlsFront(options: {
  certificate: Certificate;
  address: string;
  to: { host: string; port: number };
}): Promise<{ port: number } & AsyncDisposable> {
  const server = createServer(options.certificate, (client) => {
    const onward = connect(options.to);
    client.on("error", () => onward.destroy());
    onward.on("error", () => client.destroy());
    client.pipe(onward).pipe(client);
  });
  server.listen(0, options.address);
  await once(server, "listening");
  const bound = server.address();
  if (bound === null || typeof bound === "string") throw new Error("no TCP port");
  return {
    port: bound.port,
    async [Symbol.asyncDispose]() {
      server.close();
      await once(server, "close");
    },
  };
}
