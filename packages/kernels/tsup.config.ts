import { packageConfig } from "../../infra/bundle/tsup.ts";

export default packageConfig(import.meta.dirname);
