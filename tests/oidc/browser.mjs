// As much of a browser as signing in takes: cookies, redirects, forms.

import { request } from "node:http";

const MOST_REDIRECTS = 15;
/** What a browser says of itself, and fetch() would not let anybody say. */
const NAVIGATION = { Accept: "text/html", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document" };
const FORM = { "Content-Type": "application/x-www-form-urlencoded" };

function exchange(url, method, body, headers) {
  return new Promise((resolve, reject) => {
    const all = body === undefined ? headers : { ...headers, ...FORM, "Content-Length": Buffer.byteLength(body) };
    const asked = request(url, { method, headers: all, family: 4, agent: false }, (response) => {
      const parts = [];
      response.on("data", (part) => parts.push(part));
      response.on("error", reject);
      response.on("end", () => {
        const { statusCode: status, headers } = response;
        resolve({ status, headers, text: Buffer.concat(parts).toString() });
      });
    });
    asked.on("error", reject);
    asked.end(body);
  });
}

export class Browser {
  /** By origin, for ports do not tell cookies apart and hosts would. */
  #jars = new Map();

  jar(url) {
    const { origin } = new URL(url);
    if (!this.#jars.has(origin)) this.#jars.set(origin, new Map());
    return this.#jars.get(origin);
  }

  cookies(url) {
    const { pathname } = new URL(url);
    const fitting = [...this.jar(url)].filter(([, { path }]) => path === "/" || pathname.startsWith(path));
    return fitting.map(([name, { value }]) => `${name}=${value}`).join("; ");
  }

  /** One request, no redirect followed. */
  async send(url, { method = "GET", form, headers = {} } = {}) {
    const cookies = this.cookies(url);
    const answer = await exchange(url, method, form && new URLSearchParams(form).toString(), {
      ...NAVIGATION,
      ...(cookies && { Cookie: cookies }),
      ...headers,
    });
    for (const field of answer.headers["set-cookie"] ?? []) this.#keep(url, field);
    return { url, ...answer };
  }

  /** A request, and wherever its answer leads. */
  async open(url, options) {
    let answer = await this.send(url, options);
    for (let count = 0; answer.headers.location; count += 1) {
      if (count > MOST_REDIRECTS) throw new Error(`a redirect loop at ${answer.url}`);
      answer = await this.send(new URL(answer.headers.location, answer.url).href);
    }
    return answer;
  }

  /** Sends the one form of a page, its hidden fields and these. */
  submit(page, fields) {
    const action = /<form[^>]* action="([^"]*)"/.exec(page.text)?.[1];
    if (action === undefined) throw new Error(`no form at ${page.url}: ${page.status} ${page.text}`);
    const hidden = [...page.text.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)"/g)];
    const form = { ...Object.fromEntries(hidden.map(([, name, value]) => [name, value])), ...fields };
    return this.open(new URL(action, page.url).href, { method: "POST", form });
  }

  /** Opens a page, and signs in where that is asked for. */
  async signIn(url, user) {
    let page = await this.open(url);
    if (/name="login"/.test(page.text)) page = await this.submit(page, { login: user, password: "any" });
    if (/name="prompt" value="consent"/.test(page.text)) page = await this.submit(page, {});
    return page;
  }

  #keep(url, field) {
    const [pair, ...attributes] = field.split(";").map((part) => part.trim());
    const at = pair.indexOf("=");
    const [name, value] = [pair.slice(0, at), pair.slice(at + 1)];
    const attribute = (wanted) =>
      attributes.map((one) => one.split("=")).find(([key]) => key.toLowerCase() === wanted)?.[1];
    const expires = attribute("expires");
    if (attribute("max-age") === "0" || (expires && Date.parse(expires) < Date.now())) this.jar(url).delete(name);
    else this.jar(url).set(name, { value, path: attribute("path") ?? "/" });
  }
}
