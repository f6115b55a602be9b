// Who is signed in, read by AWS Amplify from the cookies that the sign-in set.
//
// Amplify only reads here. Whoever guards the site signs in, renews and signs out; a page that did so, too,
// would race with it for the refresh token.

import { Amplify } from "aws-amplify";
import { fetchAuthSession, getCurrentUser } from "aws-amplify/auth";
import { cognitoUserPoolsTokenProvider as provider } from "aws-amplify/auth/cognito";
import { CookieStorage } from "aws-amplify/utils";

/** Lies beside the pages; the deployment writes it. */
const SETTINGS = "/settings.json";
/** A browser's clock may be ahead of the one that checks the tokens. */
const SLACK_SECONDS = 5;

const storage = new CookieStorage({ domain: location.hostname, path: "/", secure: true, sameSite: "lax" });
let clientId;

/** Reads the settings and returns them. Until then, and without them, nobody is known to be signed in. */
export async function configure() {
  const response = await fetch(SETTINGS, { headers: { accept: "application/json" } });
  if (!response.ok) throw new Error(`${SETTINGS}: status ${response.status}`);
  const settings = await response.json();
  clientId = settings.ClientId;
  Amplify.configure({ Auth: { Cognito: { userPoolId: settings.UserPoolId, userPoolClientId: clientId } } });
  provider.setKeyValueStorage(storage);
  return settings;
}

/**
 * The session as {username, claims, userData}, where the claims may have expired, or null where scripts
 * cannot see one: the cookies are HttpOnly, of another client, or damaged.
 */
export async function readSession() {
  try {
    // As stored. Amplify's other calls would renew expired tokens themselves.
    const stored = clientId && (await provider.authTokenStore.loadTokens());
    if (!stored?.idToken) return null;
    const known = secondsLeft(stored.idToken.payload) > 0 ? await current() : await last(stored.idToken.payload);
    return { ...known, userData: await userData(known.username) };
  } catch {
    return null;
  }
}

async function current() {
  const [{ username }, { tokens }] = await Promise.all([getCurrentUser(), fetchAuthSession()]);
  return { username, claims: tokens.idToken.payload };
}

async function last(claims) {
  return { username: await provider.authTokenStore.getLastAuthUser(), claims };
}

async function userData(username) {
  const text = await storage.getItem(`CognitoIdentityServiceProvider.${clientId}.${username}.userData`);
  return text ? JSON.parse(text) : null;
}

/** How long a token still holds. */
export function secondsLeft({ exp }) {
  return Math.max(0, exp - SLACK_SECONDS - Math.floor(Date.now() / 1000));
}

/**
 * Has the session renewed by asking the site for a page: on the way, expired tokens are exchanged for new
 * ones. False where that needs a sign-in, to which a script's request cannot be sent.
 */
export async function renew() {
  try {
    const response = await fetch("/", { method: "HEAD", cache: "no-store" });
    return response.ok;
  } catch {
    return false;
  }
}
