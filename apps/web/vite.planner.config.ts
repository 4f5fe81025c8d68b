import { onePage } from "./onePage.ts";

export default onePage("planner.html");
