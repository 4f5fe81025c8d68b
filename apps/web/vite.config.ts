import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";
import { oneFile } from "./oneFile.ts";

/** `vite build` makes the report, `vite build --mode samples` the viewer of samples: each a page of its own. */
export default defineConfig(({ mode }) => {
  const page = mode === "samples" ? "samples.html" : "index.html";
  return {
    base: "./",
    plugins: [react(), oneFile(page)],
    resolve: { conditions: ["@espalier/source", "module", "browser", "development|production"] },
    build: {
      emptyOutDir: mode !== "samples",
      modulePreload: false,
      cssCodeSplit: false,
      assetsInlineLimit: 1e6,
      rolldownOptions: { input: page, output: { codeSplitting: false } },
    },
  };
});
