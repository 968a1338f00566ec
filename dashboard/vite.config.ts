import { defineConfig } from "vite";

// One script and one style sheet: what lies in the program is fetched from this machine.
export default defineConfig({
  publicDir: "src/public",
  build: { outDir: "dist", emptyOutDir: true, sourcemap: false, modulePreload: { polyfill: false }, assetsInlineLimit: 0 },
});
