export { loadExam, loadKnowledge, type ManifestFile } from "./loadKnowledge.ts";
export { type LoadedTaskFile, loadTaskFile } from "./loadTaskFile.ts";
export { modelDirectoryDigest, openRequestCache, type OpenRequestCache } from "./requestCache.ts";
export { openKnowledgeLog, openSampleLog, type SampleLog } from "./sampleLog.ts";
export { writeResults, type WrittenResults } from "./writeResults.ts";
