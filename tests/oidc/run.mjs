// Signs in at npm's oidc-provider: discovery, page, renewal, sign-out, rules and bearer tokens.
// Usage: node run.mjs PATH-OF-PORTCULLIS

import assert from "node:assert/strict";

import { Outcomes, run } from "../outcomes.mjs";
import { Browser } from "./browser.mjs";
import { API, startProvider } from "./provider.mjs";
import { CONTENT, startSite } from "./site.mjs";

const USER = "jäne.o'neil+test@corp";
const SECRET = "a secret: with/odd+characters & more than enough of them";
const DEEP_LINK = "/?a=%20b&c=%2F";

/** Clients as operators register them, and what is configured for each. */
const CLIENTS = {
  "a client with a secret, by HTTP Basic, with a refresh token": {
    client: { client_secret: SECRET, token_endpoint_auth_method: "client_secret_basic" },
    auth: { clientSecret: SECRET, oauthScopes: ["openid", "email", "profile", "offline_access"] },
    enhancements: { sealedSession: { keepIdToken: true }, authorizeParameters: { fixed: { prompt: "consent" } } },
    refreshes: true,
  },
  "a client with a secret in the body, signed with ES256": {
    client: {
      client_secret: SECRET,
      token_endpoint_auth_method: "client_secret_post",
      id_token_signed_response_alg: "ES256",
    },
    auth: { clientSecret: SECRET },
    oidc: { tokenEndpointAuthMethod: "client_secret_post" },
    refreshes: false,
  },
  "a public client, plain cookies": {
    client: { token_endpoint_auth_method: "none" },
    auth: { oauthScopes: ["openid", "email", "profile", "offline_access"] },
    enhancements: { sealedSession: false, authorizeParameters: { fixed: { prompt: "consent" } } },
    refreshes: true,
  },
};

const outcomes = new Outcomes();

/** A step at a site, whose last words are shown if it fails. */
const stepAt = (site) => (name, action) =>
  outcomes.step(`  ${name}`, action, (error) => [error.stack, ...site.told().split("\n").slice(-8)].join("\n"));

async function withSite(program, { client, auth, oidc, enhancements }, visit) {
  const provider = await startProvider();
  try {
    const site = await startSite(program, {
      clientId: "portcullis:test",
      ...auth,
      enhancements: { oidc: { issuer: provider.issuer, ...oidc }, ...enhancements },
    });
    try {
      provider.register([
        {
          client_id: "portcullis:test",
          redirect_uris: [`${site.url}/parseauth`],
          post_logout_redirect_uris: [`${site.url}/`],
          grant_types: ["authorization_code", "refresh_token"],
          ...client,
        },
        {
          client_id: "machine",
          client_secret: SECRET,
          grant_types: ["client_credentials"],
          redirect_uris: [],
          response_types: [],
        },
      ]);
      await visit(provider, site);
    } finally {
      await site.stop();
    }
  } finally {
    provider.stop();
  }
}

const session = (browser, site) =>
  browser.send(`${site.url}/_portcullis/session`, { headers: { Accept: "application/json" } });

async function visit(provider, site, refreshes) {
  const browser = new Browser();
  const check = stepAt(site);
  await check("discovery is asked for once, at the start", () => {
    const asked = provider.calls.filter((call) => call.endsWith("/.well-known/openid-configuration"));
    assert.equal(asked.length, 1);
  });
  await check("signing in leads back to the deep link", async () => {
    const page = await browser.signIn(site.url + DEEP_LINK, USER);
    assert.equal(page.url, site.url + DEEP_LINK);
    assert.equal(page.text, CONTENT);
  });
  await check("the session is the user's", async () => {
    const { status, text } = await session(browser, site);
    assert.equal(status, 200, text);
    const { claims } = JSON.parse(text);
    assert.deepEqual(claims, {
      sub: USER,
      preferred_username: USER,
      email: `${USER}@example.com`,
      email_verified: true,
      name: `${USER} Doe`,
      groups: ["staff"],
    });
  });
  await check("a rule by group is kept", async () => {
    const { status } = await browser.send(`${site.url}/admin`);
    assert.equal(status, 403);
  });
  await check(refreshes ? "the session is renewed, twice" : "there is nothing to renew with", async () => {
    for (let round = 0; round < 2; round += 1) {
      const path = refreshes && browser.cookies(`${site.url}/refreshauth`).includes("refreshToken") ? "/refreshauth" : "/_portcullis/refresh";
      const { status } = await browser.send(site.url + path, {
        method: "POST",
        headers: { Accept: "application/json", "Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors" },
      });
      assert.equal(status, refreshes ? 204 : 401);
    }
    assert.equal((await browser.open(site.url + DEEP_LINK)).text, CONTENT);
  });
  await check("another sign-in needs no password while the provider's session lasts", async () => {
    browser.jar(site.url).clear();
    let page = await browser.open(site.url + DEEP_LINK);
    assert.ok(!/name="login"/.test(page.text), "asked to sign in again");
    if (/name="prompt" value="consent"/.test(page.text)) page = await browser.submit(page, {});
    assert.equal(page.text, CONTENT);
  });
  await check("signing out ends the session here and there", async () => {
    const before = browser.cookies(site.url);
    const revoked = () => provider.calls.filter((call) => call === "POST /token/revocation").length;
    const already = revoked();
    const page = await browser.open(`${site.url}/signout`);
    assert.equal(new URL(page.url).pathname, "/session/end", page.text);
    const end = await browser.submit(page, { logout: "yes" });
    assert.equal(end.url, `${site.url}/_portcullis/signed-out`);
    if (refreshes && before.includes("portcullis=")) assert.equal(revoked(), already + 1);
    assert.ok(!/Token|portcullis=/.test(browser.cookies(site.url)), browser.cookies(site.url));
    assert.match((await browser.open(site.url + DEEP_LINK)).text, /name="login"/);
  });
}

async function machines(provider, site) {
  const check = stepAt(site);
  const token = async (more) => {
    const reply = await fetch(`${provider.issuer}/token`, {
      method: "POST",
      headers: { Authorization: `Basic ${btoa(`machine:${encodeURIComponent(SECRET)}`)}` },
      body: new URLSearchParams({ grant_type: "client_credentials", ...more }),
    });
    const { access_token: found, ...others } = await reply.json();
    assert.ok(found, JSON.stringify(others));
    return found;
  };
  const ask = async (bearer) => {
    const { status, text } = await new Browser().send(`${site.url}/`, { headers: { Authorization: `Bearer ${bearer}` } });
    return [status, status === 200 ? text : JSON.parse(text).reason];
  };
  await check("an access token for the API passes", async () => {
    assert.deepEqual(await ask(await token({ resource: API, scope: "api:read" })), [200, CONTENT]);
  });
  await check("one without the scope does not", async () => {
    assert.deepEqual(await ask(await token({ resource: API })), [403, "scope-required"]);
  });
  await check("an opaque one does not", async () => {
    assert.deepEqual(await ask(await token({})), [401, "token-malformed"]);
  });
  await check("none of them is a session", async () => {
    const bearer = await token({ resource: API, scope: "api:read" });
    const { status, headers } = await new Browser().send(`${site.url}/`, { headers: { Cookie: `ID-TOKEN=${bearer}` } });
    assert.deepEqual([status, new URL(headers.location).origin], [302, provider.issuer]);
  });
}

const RULES = [
  { under: ["/admin"], require: { groups: ["admins"] } },
  { require: [{ groups: ["staff"] }, { scopes: ["api:read"] }] },
];

async function main(program) {
  for (const [name, plan] of Object.entries(CLIENTS)) {
    console.log(name);
    const enhancements = { rules: RULES, ...plan.enhancements };
    await outcomes.step("  (all of it)", () =>
      withSite(program, { ...plan, enhancements }, (provider, site) => visit(provider, site, plan.refreshes)));
  }
  console.log("a machine with a bearer token");
  const enhancements = { bearerTokens: { audiences: [API], scopes: ["api:read"] }, sealedSession: false };
  const auth = { cookieCompatibility: "elasticsearch" };
  const client = { token_endpoint_auth_method: "none" };
  await outcomes.step("  (all of it)", () => withSite(program, { client, auth, enhancements }, machines));
  return outcomes.finish();
}

await run(main);
