import { microStepProgram } from "./src/programs.ts";
import { rungModel } from "../cost/src/experiment/ladder.ts";
import { predictStepSeconds } from "../cost/src/machine/stepTime.ts";
import { roughProfile } from "../cost/src/machine/profile.ts";
import { trainingFlopsPerToken } from "@espalier/spec/model";
import * as kernels from "@espalier/kernels";
const executor = await (kernels as any).cpuExecutor({ numThreads: 1 });
console.log(executor.instructionPath, executor.numThreads);
for (const [L,C,D] of [[8,96,24],[2,96,24],[4,48,24],[8,64,16],[4,32,16],[8,192,24],[2,64,16]] as const) {
  const m = rungModel({numLayers:L,residualDim:C,headDim:D},{vocabSize:1024,seqLen:128});
  const p = microStepProgram(m,{B:8,T:128});
  const loaded = executor.load(p);
  for (const t of p.tensors) if (t.region==="owned") { const b=executor.allocate(t.bytes); const a=new Float32Array(t.bytes/4); for(let i=0;i<a.length;i++)a[i]=Math.sin(i*1.7)*0.05; b.write(a); loaded.bind(t.name,b);}
  const rt=new Uint8Array(p.runtimeBytes), out=new Uint8Array(p.outputBytes);
  await loaded.run(rt,out);
  const times=[]; for(let i=0;i<7;i++){const t0=performance.now(); await loaded.run(rt,out); times.push((performance.now()-t0)/1000);}
  times.sort((a,b)=>a-b); const s=times[3]!;
  const flops=trainingFlopsPerToken(m)*1024;
  const prof=loaded.profile().map((o:any)=>[o.op,o.calls,o.seconds]).sort((a:any,b:any)=>b[2]-a[2]).slice(0,7).map((o:any)=>`${o[0]} ${(o[2]/8*1000).toFixed(1)}ms`);
  console.log(L,C,s.toFixed(4),(flops/s/1e9).toFixed(1)+" GF", prof.join(", "));
}
