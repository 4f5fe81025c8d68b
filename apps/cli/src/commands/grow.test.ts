import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { espalier, jsonLines, temporaryDirectory } from "../testing/run.ts";

const scratch = temporaryDirectory();
const at = (...names: string[]) => join(scratch, ...names);
afterAll(() => rmSync(scratch, { recursive: true }));
const model = join(import.meta.dirname, "../../../../packages/trainer/fixtures/huggingFace/llama");

describe("espalier grow", () => {
  it("grows a model by the default operators, says what is proved, and grows what it wrote again", async () => {
    const first = await espalier("grow", model, "--layers", "4", "--out", at("deep"), "--json");
    expect(first).toMatchObject({ status: 0, stderr: "" });
    const [{ value }] = jsonLines(first.stdout) as unknown as [{ value: { from: { numLayers: number; ffnDim: number }; to: { numLayers: number }; exactness: { logits: { holds: boolean } } } }];
    expect(value).toMatchObject({ to: { numLayers: 4 }, exactness: { logits: { holds: true } } });
    const again = await espalier("grow", at("deep"), "--ffn", String(value.from.ffnDim + 5), "--layers", "8", "--operators", "ffn=net2Wider", "depth=stack", "--out", at("wide"));
    expect(again).toMatchObject({ status: 0, stderr: "" });
    expect(again.stdout).toMatch(/: llama, [\d,]+ -> [\d,]+ parameters, \d+\.\d MB of weights\.\nNot proved: logits\. layers\.4: /);
  });

  it("lists the operators", async () => {
    const { status, stdout } = await espalier("grow", "--list");
    expect(status).toBe(0);
    expect(stdout).toMatch(/^hyperCloning +residual, ffn, head +kept +kept /m);
    expect(stdout).toMatch(/^msg +residual, ffn, head, depth +with gates /m);
  });

  it("refuses what does not fit, in one sentence", async () => {
    const refused = await Promise.all([
      espalier("grow"),
      espalier("grow", model, "--layers", "9"),
      espalier("grow", model, "--out", at("same")),
      espalier("grow", model, "--layers", "1", "--out", at("less")),
      espalier("grow", model, "--layers", "9", "--operators", "depht=stack", "--out", at("word")),
      espalier("grow", model, "--layers", "9", "--operators", "depth=net2Wider", "--out", at("group")),
      espalier("grow", at("absent"), "--layers", "9", "--out", at("from")),
    ]);
    const sentences = ["no model named", "--out is missing", "no size named", "expected at least the source size 2", 'found "depht=stack"', "depth=net2Wider, expected one of identity, ", "expected a Hugging Face model directory"];
    refused.forEach(({ status, stdout, stderr }, i) => {
      expect({ status, stdout }, stderr).toEqual({ status: [2, 2, 2, 1, 2, 2, 1][i], stdout: "" }); // usage, or a look at the model
      expect(stderr).toContain(sentences[i]);
      expect(stderr.trim().split("\n")).toHaveLength(1);
    });
  });
});
