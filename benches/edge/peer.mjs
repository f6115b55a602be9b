// The peer: what a team would write by hand for Node.js 22, with aws-jwt-verify, bundled by esbuild.
import { readFileSync } from 'node:fs';
import { CognitoJwtVerifier } from 'aws-jwt-verify';

const config = JSON.parse(readFileSync(`${process.env.LAMBDA_TASK_ROOT}/configuration.json`, 'utf8'));
const verifier = CognitoJwtVerifier.create({
  userPoolId: config.userPoolArn.split('/')[1],
  clientId: config.clientId,
  tokenUse: 'id',
});
verifier.cacheJwks(config.jwks);
const prefix = `CognitoIdentityServiceProvider.${config.clientId}`;

function cookiesOf(request) {
  const cookies = {};
  for (const { value } of request.headers.cookie ?? []) {
    for (const pair of value.split(';')) {
      const at = pair.indexOf('=');
      if (at > 0) cookies[pair.slice(0, at).trim()] = decodeURIComponent(pair.slice(at + 1).trim());
    }
  }
  return cookies;
}

export async function handler(event) {
  const { request } = event.Records[0].cf;
  const cookies = cookiesOf(request);
  const user = cookies[`${prefix}.LastAuthUser`];
  try {
    await verifier.verify(cookies[`${prefix}.${user}.idToken`] ?? '');
    return request;
  } catch {
    const location = `https://${config.cognitoAuthDomain}/oauth2/authorize?client_id=${config.clientId}`;
    return {
      status: '307',
      statusDescription: 'Temporary Redirect',
      headers: { location: [{ key: 'location', value: location }] },
    };
  }
}
