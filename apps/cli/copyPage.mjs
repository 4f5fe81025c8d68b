// The pages are built by apps/web and shipped inside the command line's package.
import { copyFileSync } from "node:fs";

copyFileSync(new URL("../web/dist/index.html", import.meta.url), new URL("dist/page.html", import.meta.url));
copyFileSync(new URL("../web/dist/planner.html", import.meta.url), new URL("dist/planner.html", import.meta.url));
copyFileSync(new URL("../web/dist/tokens.html", import.meta.url), new URL("dist/tokens.html", import.meta.url));
copyFileSync(new URL("../web/dist/samples.html", import.meta.url), new URL("dist/samples.html", import.meta.url));
