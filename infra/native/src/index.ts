export { buildNative, type BuildOptions, type BuildResult } from "./build.ts";
