// Hands the managed Node.js runtime's process over to the native program beside this file.
//
// process.execve (Node.js 22.15 and later) replaces the process: same pid, same environment, and the program
// then talks to Lambda's Runtime API itself. Where it is missing, the program runs as a child and this module
// never finishes loading, so that the managed runtime never asks for an event. Whatever is wrong with the
// program is thrown here, so that Lambda reports it as an initialisation error: a failed execve would abort
// the process without a word.

import { accessSync, closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('./bootstrap', import.meta.url));
const X86_64 = 62;

class ProgramError extends Error {
  name = 'ProgramError';
}

// Refuses what execve could not start, or would start only to crash.
function check(path) {
  let file;
  try {
    file = openSync(path, 'r');
  } catch (error) {
    throw new ProgramError(`${path} is missing: this package is incomplete, emit and upload it again (${error.code})`);
  }
  try {
    accessSync(path, constants.X_OK);
  } catch {
    throw new ProgramError(`${path} is not executable: zip it with its mode 0755`);
  }
  try {
    const head = Buffer.alloc(64);
    const length = readSync(file, head, 0, 64, 0);
    if (length < 64 || head.readUInt32BE(0) !== 0x7f454c46 || head.readUInt16BE(4) !== 0x0201 || head.readUInt16LE(18) !== X86_64) {
      throw new ProgramError(`${path} is not an x86-64 Linux program: Lambda@Edge runs nothing else`);
    }
    // The section headers are the last thing in the file.
    const end = Number(head.readBigUInt64LE(40)) + head.readUInt16LE(58) * head.readUInt16LE(60);
    if (fstatSync(file).size < end) {
      throw new ProgramError(`${path} is cut short: emit and upload this package again`);
    }
  } finally {
    closeSync(file);
  }
}

// Never resolves. The child's end is the sandbox's end, as it would be without a parent.
async function runAsChild(path) {
  // Loaded here, because it takes milliseconds that a process about to be replaced should not spend.
  const { spawn } = await import('node:child_process');
  return new Promise((_, reject) => {
    const child = spawn(path, [], { stdio: 'inherit' });
    child.on('error', reject);
    child.on('exit', (code, signal) => process.exit(code ?? (signal ? 128 : 1)));
    for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => child.kill(signal));
  });
}

check(program);
if (typeof process.execve === 'function') {
  process.execve(program, [program], process.env);
}
await runAsChild(program);
