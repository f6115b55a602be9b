// Builds into dist/, which is committed: what deploys or embeds the site needs no Node.js.

import { readFileSync } from "node:fs";
import { defineConfig } from "vite";

/** The static sample site's page, so that the two can be compared side by side. */
const staticPage = {
  name: "static-page",
  generateBundle() {
    const source = readFileSync(new URL("../static/index.html", import.meta.url));
    this.emitFile({ type: "asset", fileName: "static.html", source });
  },
};

export default defineConfig({
  // Three pages, not one with fallbacks: what is missing is 404 in development, too.
  appType: "mpa",
  plugins: [staticPage],
  build: {
    modulePreload: { polyfill: false },
    // Of the packages within app.js.
    license: { fileName: "licenses.md" },
    rollupOptions: {
      input: { app: "index.html", reports: "reports/index.html" },
      // Names without hashes: the origin has browsers ask each time.
      output: {
        entryFileNames: "assets/[name].js",
        chunkFileNames: "assets/[name].js",
        assetFileNames: "assets/[name][extname]",
      },
    },
  },
});
