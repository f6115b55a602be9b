// A site of the program under test, in front of a folder with one page.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const START_MILLIS = 30_000;
export const CONTENT = "content of the site";

/** Starts a site with this sign-in, and waits until it listens. */
export async function startSite(program, auth) {
  const folder = await mkdtemp(join(tmpdir(), "portcullis-oidc-"));
  await writeFile(join(folder, "index.html"), CONTENT);
  const config = {
    listen: { http: ["127.0.0.1:0"] },
    admin: { listen: "off" },
    log: { format: "json" },
    threads: 1,
    sites: [{
      hosts: ["localhost"],
      default_root_object: "index.html",
      auth: { insecureLoopbackHttp: true, nonceSigningSecret: "what-sessions-are-sealed-with-5512", ...auth },
      origin: { kind: "directory", root: folder },
    }],
  };
  const file = join(folder, "config.json");
  await writeFile(file, JSON.stringify(config));
  const child = spawn(program, ["run", "--config", file], { stdio: ["ignore", "pipe", "pipe"] });
  let told = "";
  child.stderr.on("data", (data) => (told += data));
  const lines = createInterface({ input: child.stdout });
  const ready = new Promise((resolve) => {
    lines.on("line", (line) => {
      told += `${line}\n`;
      const { fields, ...event } = JSON.parse(line);
      const { message, http } = { ...event, ...fields };
      if (message === "ready") resolve(http);
    });
  });
  const stop = async () => {
    const ended = once(child, "exit");
    if (child.exitCode === null && child.signalCode === null) {
      child.kill("SIGTERM");
      await ended;
    }
    await rm(folder, { recursive: true, force: true });
  };
  const address = await Promise.race([
    ready,
    once(child, "exit").then(([code]) => Promise.reject(new Error(`the site ended with ${code}: ${told}`))),
    new Promise((_, reject) => setTimeout(() => reject(new Error(`not ready: ${told}`)), START_MILLIS).unref()),
  ]);
  const port = address.split(":").at(-1);
  return { url: `http://localhost:${port}`, told: () => told, stop };
}
