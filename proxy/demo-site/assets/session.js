// Who is signed in, read from the cookies that AWS Amplify uses.

const PREFIX = "CognitoIdentityServiceProvider.";

/** Every cookie a script may see, name to value. */
function readCookies(text) {
  const cookies = new Map();
  for (const pair of text.split(";")) {
    const at = pair.indexOf("=");
    if (at > 0) cookies.set(pair.slice(0, at).trim(), pair.slice(at + 1).trim());
  }
  return cookies;
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The claims of a token. The proxy has verified it; a page only shows it. */
function claimsOf(token) {
  const base64 = token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/");
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  return JSON.parse(new TextDecoder().decode(bytes));
}

function userDataOf(text) {
  try {
    return JSON.parse(decoded(text));
  } catch {
    return null;
  }
}

/**
 * The session as {username, claims, userData}, or null where scripts cannot see one:
 * the cookies are HttpOnly, named otherwise, or damaged.
 */
export function readSession(cookieText = document.cookie) {
  const cookies = readCookies(cookieText);
  for (const [name, user] of cookies) {
    if (!name.startsWith(PREFIX) || !name.endsWith(".LastAuthUser")) continue;
    const client = name.slice(0, -".LastAuthUser".length);
    for (const spelling of new Set([user, decoded(user), encodeURIComponent(decoded(user))])) {
      const token = cookies.get(`${client}.${spelling}.idToken`);
      if (!token) continue;
      try {
        const claims = claimsOf(token);
        const userData = userDataOf(cookies.get(`${client}.${spelling}.userData`) ?? "");
        return { username: claims["cognito:username"] ?? decoded(user), claims, userData };
      } catch {
        return null;
      }
    }
  }
  return null;
}
