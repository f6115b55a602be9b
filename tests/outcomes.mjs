// What became of a test program's steps, told as they go.

const indented = (text) => String(text).replaceAll("\n", "\n      ");

export class Outcomes {
  #passed = 0;
  #failed = 0;

  /** One step, which fails by throwing; `explain` says what more there is to say of that. */
  async step(name, action, explain = (error) => error.stack) {
    try {
      await action();
      this.#passed += 1;
      console.log(`ok    ${name}`);
    } catch (error) {
      this.#failed += 1;
      console.log(`FAIL  ${name}\n      ${indented(await explain(error))}`);
    }
  }

  /** Tells how many there were; the exit code. */
  finish() {
    console.log(`${this.#passed} passed, ${this.#failed} failed`);
    return this.#failed === 0 ? 0 : 1;
  }
}

/** Runs a program that takes the path of portcullis and gives an exit code. */
export async function run(main) {
  if (process.argv.length !== 3) {
    console.error("usage: node run.mjs PATH-OF-PORTCULLIS");
    process.exit(2);
  }
  process.exitCode = await main(process.argv[2]);
}
