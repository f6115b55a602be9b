// The OpenID provider under test: npm's oidc-provider on a loopback port, with its own pages for signing in.

import { generateKeyPairSync, randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import Provider from "oidc-provider";

export const API = "urn:test:api";
export const SCOPES = ["openid", "email", "profile", "offline_access"];

const key = (type, options, more) => {
  const { privateKey } = generateKeyPairSync(type, options);
  return { ...privateKey.export({ format: "jwk" }), ...more };
};

const JWKS = {
  keys: [
    key("rsa", { modulusLength: 2048 }, { kid: "rsa", use: "sig", alg: "RS256" }),
    key("ec", { namedCurve: "P-256" }, { kid: "ec", use: "sig", alg: "ES256" }),
  ],
};
const COOKIE_KEYS = [randomBytes(16).toString("hex")];

/** A provider that listens. Its clients are registered later: they have to know the site, and the site the provider. */
export async function startProvider() {
  const calls = [];
  let handle;
  const server = createServer((request, response) => {
    calls.push(`${request.method} ${request.url.split("?")[0]}`);
    handle(request, response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const register = (clients) => {
    handle = provider(issuer, clients).callback();
  };
  register([]);
  return { issuer, calls, register, stop: () => server.closeAllConnections() ?? server.close() };
}

function provider(issuer, clients) {
  return new Provider(issuer, {
    clients,
    jwks: JWKS,
    cookies: { keys: COOKIE_KEYS },
    scopes: SCOPES,
    claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["preferred_username", "name", "groups"] },
    // Into the id token, where a client without a call to the userinfo endpoint looks for them.
    conformIdTokenClaims: false,
    enabledJWA: { idTokenSigningAlgValues: ["RS256", "ES256"] },
    pkce: { required: () => true },
    findAccount: (_, id) => ({
      accountId: id,
      claims: () => ({
        sub: id,
        email: `${id}@example.com`,
        email_verified: true,
        preferred_username: id,
        name: `${id} Doe`,
        groups: ["staff"],
      }),
    }),
    features: {
      devInteractions: { enabled: true },
      clientCredentials: { enabled: true },
      revocation: { enabled: true },
      rpInitiatedLogout: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => undefined,
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({
          audience: API,
          scope: "api:read",
          accessTokenFormat: "jwt",
          jwt: { sign: { alg: "RS256" } },
        }),
      },
    },
  });
}
