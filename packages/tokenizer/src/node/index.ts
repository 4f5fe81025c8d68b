export { cl100k } from "./cl100k.ts";
