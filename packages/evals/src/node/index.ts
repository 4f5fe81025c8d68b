export { openSampleLog, type SampleLog } from "./sampleLog.ts";
