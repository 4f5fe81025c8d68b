import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";
import { oneFile } from "./oneFile.ts";

/** The planner is a page of its own beside the report: `dist/planner.html`. */
export default defineConfig({
  base: "./",
  plugins: [react(), oneFile("planner.html")],
  resolve: { conditions: ["@espalier/source", "module", "browser", "development|production"] },
  build: {
    emptyOutDir: false,
    modulePreload: false,
    cssCodeSplit: false,
    assetsInlineLimit: 1e6,
    rolldownOptions: { input: "planner.html", output: { codeSplitting: false } },
  },
});
