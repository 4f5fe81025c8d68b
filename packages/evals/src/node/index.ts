export type { ManifestFile } from "./dataFiles.ts";
export { loadExam, loadKnowledge } from "./loadKnowledge.ts";
export { type LoadedTaskFile, loadTaskFile, loadTasksByName, type TaskFileOptions, taskFileNames } from "./loadTaskFile.ts";
export { modelDirectoryDigest, openRequestCache, type OpenRequestCache } from "./requestCache.ts";
export { openKnowledgeLog, openSampleLog, readSampleLog, type SampleLog } from "./sampleLog.ts";
export { writeResults, type WrittenResults } from "./writeResults.ts";
