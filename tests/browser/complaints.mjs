// Everything a browser complains about: console errors, uncaught exceptions, failed requests, error statuses.

/** The browser gave the request up itself: the page was left, or the navigation became a download. */
const GIVEN_UP = "net::ERR_ABORTED";

export class Complaints {
  #found = [];

  watch(page) {
    page.on("console", (message) => {
      if (message.type() === "error") this.#found.push(`console: ${message.text()} (${message.location().url})`);
    });
    page.on("pageerror", (error) => this.#found.push(`exception: ${error.message}`));
    page.on("requestfailed", (request) => {
      const reason = request.failure()?.errorText;
      if (reason !== GIVEN_UP) this.#found.push(`request: ${reason}: ${request.url()}`);
    });
    page.on("response", (response) => {
      if (response.status() >= 400) this.#found.push(`status ${response.status()}: ${response.url()}`);
    });
  }

  /** What was found since the last call. */
  take() {
    return this.#found.splice(0);
  }
}
