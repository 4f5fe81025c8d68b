import { onePage } from "./onePage.ts";

export default onePage("tokens.html");
