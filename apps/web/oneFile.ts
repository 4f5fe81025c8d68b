import type { Plugin } from "vite";

/**
 * Writes scripts and styles into the page itself: a page is one file that can be mailed and opened from disk.
 * A closing tag inside the script would end it early, so `</script` is escaped.
 */
export function oneFile(name: string): Plugin {
  return {
    name: "one-file",
    enforce: "post",
    generateBundle(_options, bundle) {
      const page = bundle[name];
      if (page?.type !== "asset") throw new Error(`one-file: no ${name} in the bundle`);
      let html = String(page.source);
      for (const [file, item] of Object.entries(bundle)) {
        if (item.type === "chunk") {
          const code = item.code.replaceAll(/<\/(script)/gi, "<\\/$1");
          html = html.replace(new RegExp(`\\s*<script[^>]*src="[^"]*${file}"[^>]*></script>`), "");
          // At the end of the body: a module script in the head would run before the data element only by luck.
          html = html.replace("</body>", () => `<script type="module">${code}</script>\n  </body>`);
          delete bundle[file];
        } else if (file.endsWith(".css")) {
          html = html.replace(new RegExp(`\\s*<link[^>]*href="[^"]*${file}"[^>]*>`), () => `<style>${item.source}</style>`);
          delete bundle[file];
        }
      }
      page.source = html;
    },
  };
}
