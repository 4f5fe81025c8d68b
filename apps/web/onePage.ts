import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";
import { oneFile } from "./oneFile.ts";

/** The configuration of a page of its own beside the report: `dist/<page>`, one file. */
export const onePage = (page: string) =>
  defineConfig({
    base: "./",
    plugins: [react(), oneFile(page)],
    resolve: { conditions: ["@espalier/source", "module", "browser", "development|production"] },
    build: {
      emptyOutDir: false,
      modulePreload: false,
      cssCodeSplit: false,
      assetsInlineLimit: 1e6,
      rolldownOptions: { input: page, output: { codeSplitting: false } },
    },
  });
