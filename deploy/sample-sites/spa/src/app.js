// The single page: three views behind the hash, and the session in one of them.

import "../../static/assets/style.css";
import { configure, readSession, renew, secondsLeft } from "./session.js";

const byId = (id) => document.getElementById(id);
const HIDDEN_SESSION =
  "You are signed in, or this page would not be here. Who you are is not shown, because this site keeps its session " +
  "cookies away from scripts (HttpOnly). That is the safer choice for pages that do not need them.";
const NO_SETTINGS =
  "You are signed in, or this page would not be here. Who you are is not shown, because the file settings.json, " +
  "which names the user pool's client, is not beside this page.";
const ENDED = "Your session has ended. Open this page again to sign in.";

let session = null;
/** Renewal is tried once for each token. */
let renewedFor = null;

function show(route) {
  const known = [...document.querySelectorAll("[data-view]")].some((view) => view.dataset.view === route);
  const current = known ? route : "";
  for (const view of document.querySelectorAll("[data-view]")) view.hidden = view.dataset.view !== current;
  for (const link of document.querySelectorAll("[data-route]")) {
    if (link.dataset.route === current) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  const title = { session: "Your session · ", files: "Files · " }[current] ?? "";
  document.title = `${title}Gatehouse`;
}

function onHashChange() {
  if (!location.hash.startsWith("#/")) return show("");
  show(location.hash.slice(2));
}

function chips(names) {
  if (names.length === 0) return [document.createTextNode("none")];
  return names.map((name) => {
    const chip = document.createElement("span");
    chip.className = "chip";
    chip.textContent = name;
    return chip;
  });
}

function duration(seconds) {
  const parts = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60), seconds % 60];
  const units = ["h", "min", "s"];
  const first = parts.findIndex((part) => part > 0);
  if (first < 0) return "0 s";
  return parts.slice(first).map((part, index) => `${part} ${units[first + index]}`).join(" ");
}

/** A note in place of, or above, the session; null for none. */
function note(text) {
  byId("session-note").hidden = text === null;
  byId("session-note").textContent = text ?? "";
}

function showExpiry(claims) {
  const left = secondsLeft(claims);
  const when = new Date(claims.exp * 1000).toLocaleTimeString();
  byId("expiry").textContent = left > 0 ? `valid for ${duration(left)} more, until ${when}` : `expired at ${when}`;
  byId("lifetime").value = claims.exp > claims.iat ? Math.min(1, left / (claims.exp - claims.iat)) : 0;
}

async function showSession() {
  session = await readSession();
  byId("session").hidden = session === null;
  if (session === null) return note(HIDDEN_SESSION);
  note(null);
  const { username, claims, userData } = session;
  byId("greeting").textContent = `Welcome, ${username}`;
  byId("username").textContent = username;
  byId("email").textContent = claims.email ?? "not told";
  byId("groups").replaceChildren(...chips(claims["cognito:groups"] ?? []));
  byId("signed-in").textContent = claims.auth_time ? new Date(claims.auth_time * 1000).toLocaleString() : "not told";
  byId("claims").textContent = JSON.stringify(claims, null, 2);
  byId("user-data").textContent = userData ? JSON.stringify(userData, null, 2) : "not set";
  showExpiry(claims);
}

/** Once a second: counts down, and renews the session when it has run out. */
async function tick() {
  if (session === null) return;
  showExpiry(session.claims);
  if (secondsLeft(session.claims) > 0 || renewedFor === session.claims.exp) return;
  renewedFor = session.claims.exp;
  const renewed = await renew();
  if (renewed) await showSession();
  if (!renewed || session === null || secondsLeft(session.claims) === 0) note(ENDED);
}

async function probe() {
  const result = byId("probe-result");
  result.textContent = "asking…";
  try {
    const response = await fetch("/data/tide.json", { headers: { accept: "application/json" }, cache: "no-store" });
    const tide = response.ok ? await response.json() : null;
    result.textContent = tide ? `${response.status}: ${tide.place}, ${tide.state}` : `${response.status}: please sign in again`;
  } catch {
    result.textContent = "no answer: please sign in again";
  }
}

addEventListener("hashchange", () => {
  onHashChange();
  if (location.hash.startsWith("#/")) byId("main").focus({ preventScroll: true });
});
byId("probe").addEventListener("click", probe);
onHashChange();
try {
  const { SignOutUrl } = await configure();
  byId("sign-out").href = SignOutUrl ?? "/signout";
  await showSession();
  setInterval(tick, 1000);
} catch {
  note(NO_SETTINGS);
}
document.documentElement.dataset.ready = "true";
