import { packageConfig } from "../../infra/build/tsup.ts";

export default packageConfig(import.meta.dirname);
