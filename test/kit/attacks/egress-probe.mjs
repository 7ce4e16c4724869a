// Runs in a sandbox as an agent's own program would. `node probe.mjs <what> <arguments>` prints one line for each try.
import { request } from "node:http";
import { connect } from "node:net";

const [what, ...args] = process.argv.slice(2);
const proxy = new URL(process.env.HTTP_PROXY);
const GATEWAY = "/run/claude-hub/hub.sock";

const ways = {
  /** Tunnels to each target, then a plain request through it. */
  async tunnel(...targets) {
    for (const target of targets) console.log(target, await throughTunnel(target));
  },
  /** Plain requests in absolute form. */
  async plain(...urls) {
    for (const url of urls) console.log(url, await plainly(url));
  },
  async fetch(...urls) {
    for (const url of urls)
      console.log(
        url,
        await fetch(url).then(
          async (res) => `${res.status} ${(await res.text()).trim()}`,
          (error) => `failed: ${error.cause?.message ?? error.message}`,
        ),
      );
  },
  /** Around the proxy; `@name` is an abstract unix socket. */
  async direct(...targets) {
    for (const target of targets) {
      if (target.startsWith("@")) {
        console.log(target, await raw({ path: `\0${target.slice(1)}` }, "hello"));
        continue;
      }
      const at = target.lastIndexOf(":");
      const [host, port] = [target.slice(0, at), Number(target.slice(at + 1))];
      console.log(target, await raw({ host, port }, "GET / HTTP/1.0\r\n\r\n"));
    }
  },
  /** Bytes as they are, to the proxy or to the hub's socket; one exchange for each. */
  async bytes(where, ...texts) {
    const to = where === "gateway" ? { path: GATEWAY } : { host: proxy.hostname, port: proxy.port };
    for (const text of texts)
      console.log(JSON.stringify(text.slice(0, 60)), await raw(to, JSON.parse(`"${text}"`)));
  },
  /** Sends so many bytes through the proxy. */
  async pour(url, bytes) {
    let sent = 0;
    const how = await new Promise((resolve) => {
      const asking = request({ ...absolute(url), method: "POST" }, (res) => {
        res.resume();
        resolve(`answered ${res.statusCode}`);
      });
      asking.on("error", (error) => resolve(`cut ${error.code}`));
      const piece = Buffer.alloc(1_048_576);
      const more = () => {
        while (sent < Number(bytes)) {
          sent += piece.length;
          if (asking.write(piece)) continue;
          asking.once("drain", more);
          return;
        }
        asking.end();
      };
      more();
    });
    console.log(how, sent);
  },
  async count(url) {
    let size = 0;
    const how = await new Promise((resolve) => {
      request(absolute(url), (res) => {
        res.on("data", (chunk) => (size += chunk.length));
        res.on("end", () => resolve("whole"));
        res.on("error", () => resolve("cut"));
        res.on("aborted", () => resolve("cut"));
      })
        .on("error", (error) => resolve(error.code))
        .end();
    });
    console.log(how, size);
  },
  /** Many tunnels at once, held open together. */
  async hold(target, count) {
    const all = Array.from({ length: Number(count) }, () => openTunnel(target));
    const statuses = await Promise.all(all.map((one) => one.then(({ status }) => status)));
    const counts = {};
    for (const status of statuses) counts[status] = (counts[status] ?? 0) + 1;
    console.log(JSON.stringify(counts));
  },
  /** Silent connections to the hub's socket, opened again and again for a while. */
  async flood(count, forMs) {
    const end = Date.now() + Number(forMs);
    let opened = 0;
    const again = () =>
      new Promise((resolve) => {
        const socket = connect(GATEWAY);
        socket.once("connect", () => (opened += 1));
        socket.once("error", () => undefined);
        socket.once("close", () => resolve(Date.now() < end ? again() : undefined));
        setTimeout(() => socket.destroy(), Math.max(0, end - Date.now()));
      });
    await Promise.all(Array.from({ length: Number(count) }, again));
    console.log("opened", opened);
  },
};

await ways[what](...args);
process.exit(0);

function absolute(url) {
  return {
    host: proxy.hostname,
    port: proxy.port,
    path: url,
    headers: { host: new URL(url).host },
    agent: false,
  };
}

function openTunnel(target) {
  return new Promise((resolve) => {
    const asking = request({
      host: proxy.hostname,
      port: proxy.port,
      method: "CONNECT",
      path: target,
      headers: { host: target },
      agent: false,
    });
    asking.once("connect", (res, socket, head) => {
      socket.on("error", () => undefined);
      resolve({ status: res.statusCode, socket, head });
    });
    asking.once("error", (error) => resolve({ status: error.code }));
    asking.end();
  });
}

async function throughTunnel(target) {
  const { status, socket } = await openTunnel(target);
  if (status !== 200) return String(status);
  socket.write(`GET / HTTP/1.1\r\nHost: ${target}\r\nConnection: close\r\n\r\n`);
  let text = "";
  for await (const chunk of socket) text += chunk;
  return `200 ${text.split("\r\n\r\n")[1]?.trim() ?? ""}`;
}

function plainly(url) {
  return new Promise((resolve) => {
    request(absolute(url), (res) => {
      let text = "";
      res.on("data", (chunk) => (text += chunk));
      res.on("end", () => resolve(`${res.statusCode} ${text.trim()}`));
    })
      .on("error", (error) => resolve(error.code))
      .end();
  });
}

function raw(to, text) {
  return new Promise((resolve) => {
    const socket = connect(to);
    let answer = "";
    socket.on("connect", () => socket.write(text, "latin1"));
    socket.on("data", (chunk) => {
      answer += chunk;
      if (answer.includes("\r\n\r\n")) socket.destroy();
    });
    socket.on("error", (error) => resolve(error.code));
    socket.on("close", () => resolve(answer.split("\r\n")[0] || "closed"));
    socket.setTimeout(3_000, () => socket.destroy());
  });
}
