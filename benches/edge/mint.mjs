// Prints, as JSON, a JWK set and id tokens of as many users as asked for.
import { createSign, generateKeyPairSync } from 'node:crypto';

const [count, issuer, audience] = process.argv.slice(2);
const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
const exp = Math.floor(Date.now() / 1000) + 86400;
const tokens = Array.from({ length: Number(count) }, (_, index) => {
  const claims = {
    sub: `5f0c8a7e-0000-4000-8000-${String(index).padStart(12, '0')}`, 'cognito:username': `user${index}`, email_verified: true,
    email: `user${index}@example.com`, iss: issuer, aud: audience, token_use: 'id', iat: exp - 90000, auth_time: exp - 90000, exp,
  };
  const text = `${encode({ kid: 'bench', alg: 'RS256' })}.${encode(claims)}`;
  return `${text}.${createSign('sha256').update(text).sign(privateKey, 'base64url')}`;
});
const jwks = { keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'bench', alg: 'RS256', use: 'sig' }] };
process.stdout.write(JSON.stringify({ jwks, tokens }));
