// Starts and stops the demo under test.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

const START_MILLIS = 30_000;
const STOP_MILLIS = 15_000;
const ANY_PORT = "127.0.0.1:0";

/** The demo as {url, admin, idp, users, pid} from its own first line, and its process. */
export async function startDemo(program) {
  const args = ["demo", "--json", "--listen", ANY_PORT, "--admin", ANY_PORT, "--idp", ANY_PORT];
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"] });
  const line = await Promise.race([
    once(createInterface({ input: child.stdout }), "line").then(([text]) => text),
    once(child, "exit").then(([code, signal]) => Promise.reject(new Error(`the demo ended at once: ${code ?? signal}`))),
    once(child, "error").then(([error]) => Promise.reject(error)),
    late(START_MILLIS, "the demo did not say that it is ready"),
  ]);
  return { ...JSON.parse(line), child };
}

/** Ctrl-C; the exit code, or the name of the signal that ended it. */
export async function stopDemo({ child }) {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode ?? child.signalCode;
  const ended = once(child, "exit");
  child.kill("SIGINT");
  try {
    const [code, signal] = await Promise.race([ended, late(STOP_MILLIS, "the demo did not stop at Ctrl-C")]);
    return code ?? signal;
  } finally {
    if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
  }
}

function late(millis, message) {
  return new Promise((_, reject) => setTimeout(() => reject(new Error(message)), millis).unref());
}
