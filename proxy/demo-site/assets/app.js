// The single page: three views behind the hash, and the session in one of them.

import { readSession } from "./session.js";

const byId = (id) => document.getElementById(id);
const HIDDEN_SESSION =
  "You are signed in, or this page would not be here. Who you are is not shown, because this site keeps its session " +
  "cookies away from scripts (HttpOnly). That is the safer choice for pages that do not need them.";

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

function showExpiry({ exp, iat }) {
  const left = Math.max(0, exp - Math.floor(Date.now() / 1000));
  const when = new Date(exp * 1000).toLocaleTimeString();
  byId("expiry").textContent = left > 0
    ? `valid for ${duration(left)} more, until ${when}`
    : "expired; the next page you open renews it";
  byId("lifetime").value = exp > iat ? Math.min(1, left / (exp - iat)) : 0;
}

function showSession() {
  const session = readSession();
  byId("session").hidden = session === null;
  byId("session-note").hidden = session !== null;
  if (session === null) {
    byId("session-note").textContent = HIDDEN_SESSION;
    return;
  }
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
  showSession();
}

addEventListener("hashchange", () => {
  onHashChange();
  if (location.hash.startsWith("#/")) byId("main").focus({ preventScroll: true });
});
byId("probe").addEventListener("click", probe);
setInterval(() => {
  const session = readSession();
  if (session) showExpiry(session.claims);
}, 1000);
onHashChange();
showSession();
document.documentElement.dataset.ready = "true";
