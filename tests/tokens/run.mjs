// Has aws-jwt-verify judge the tokens that the core's tests are made of, and holds its verdicts against those recorded.
// Usage: node run.mjs CORPUS.json [--write]. The corpus is what `cargo test -p auth-core t_jwt_8` leaves behind.

import { readFile, writeFile } from "node:fs/promises";
import { CognitoJwtVerifier } from "aws-jwt-verify";

const RECORDED = new URL("../../auth-core/tests/attacks/aws_jwt_verify.txt", import.meta.url);
const HEADER = [
  "# What aws-jwt-verify says of each token of the corpus in ../flows/aws_jwt_verify/corpus.rs: `accepted`, or the name of",
  "# its error. Made by `node tests/tokens/run.mjs CORPUS.json --write`; checked by `make test-tokens`.",
];

function judge({ userPoolId, clientId }, { tokenUse, token, jwks }) {
  try {
    const verifier = CognitoJwtVerifier.create({ userPoolId, clientId, tokenUse });
    verifier.cacheJwks(jwks);
    verifier.verifySync(token);
    return "accepted";
  } catch (error) {
    return error.constructor.name;
  }
}

const [path, ...options] = process.argv.slice(2);
const corpus = JSON.parse(await readFile(path, "utf8"));
Date.now = () => corpus.now * 1000;
const lines = corpus.cases.map((one) => `${one.name}\t${judge(corpus, one)}`);

if (options.includes("--write")) {
  await writeFile(RECORDED, [...HEADER, ...lines, ""].join("\n"));
}
const recorded = (await readFile(RECORDED, "utf8")).split("\n").filter((line) => line !== "" && !line.startsWith("#"));
const [now, before] = [new Set(lines), new Set(recorded)];
const differences = [
  ...recorded.filter((line) => !now.has(line)).map((line) => `- ${line}`),
  ...lines.filter((line) => !before.has(line)).map((line) => `+ ${line}`),
];
for (const line of differences) console.log(line);
if (lines.length < 500 || now.size !== corpus.cases.length) {
  console.log(`${lines.length} tokens, ${now.size} of them different: too few, or names that come twice`);
  process.exit(1);
}
console.log(`${lines.length} tokens, ${differences.length} verdicts of aws-jwt-verify other than recorded`);
process.exit(differences.length === 0 ? 0 : 1);
