import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";

/**
 * Writes scripts and styles into the page itself: a report is one file that can be mailed and opened from disk.
 * A closing tag inside the script would end it early, so `</script` is escaped.
 */
function oneFile(name: string): Plugin {
  return {
    name: "one-file",
    enforce: "post",
    generateBundle(_options, bundle) {
      const page = bundle[name];
      if (page?.type !== "asset") throw new Error(`one-file: no ${name} in the bundle`);
      let html = String(page.source);
      for (const [name, item] of Object.entries(bundle)) {
        if (item.type === "chunk") {
          const code = item.code.replaceAll(/<\/(script)/gi, "<\\/$1");
          html = html.replace(new RegExp(`\\s*<script[^>]*src="[^"]*${name}"[^>]*></script>`), "");
          // At the end of the body: a module script in the head would run before the data element only by luck.
          html = html.replace("</body>", () => `<script type="module">${code}</script>\n  </body>`);
          delete bundle[name];
        } else if (name.endsWith(".css")) {
          html = html.replace(new RegExp(`\\s*<link[^>]*href="[^"]*${name}"[^>]*>`), () => `<style>${item.source}</style>`);
          delete bundle[name];
        }
      }
      page.source = html;
    },
  };
}

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
