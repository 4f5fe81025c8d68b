import { packageConfig } from "../../infra/bundle/tsup.ts";

// The entries behind `#native` and `#wasm` stay files of their own: which of them is loaded is decided where the package runs.
export default {
  ...packageConfig(import.meta.dirname),
  entry: {
    index: "src/index.ts",
    "node/index": "src/node/index.ts",
    "node/encoding": "src/node/encoding.ts",
    "native/addon": "src/native/addon.ts",
    "native/absent": "src/native/absent.ts",
    "node/load/worker": "src/node/load/worker.ts",
    "node/pipeline/worker": "src/node/pipeline/worker.ts",
    "node/read/parquetWorker": "src/node/read/parquetWorker.ts",
    "wasm/encodeCore": "src/wasm/encodeCore.ts",
  },
  external: ["#native", "#wasm"],
};
