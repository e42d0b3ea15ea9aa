// node web.mjs MODEL.onnx GOLDEN.json: with ONNX Runtime's WebAssembly build, the one that browsers run.
import { readFileSync } from "node:fs";
import * as ort from "onnxruntime-web";
import { replay } from "./replay.mjs";

ort.env.wasm.numThreads = 1;
ort.env.logLevel = "error";
const [model, golden] = process.argv.slice(2);
const session = await ort.InferenceSession.create(new Uint8Array(readFileSync(model)), { executionProviders: ["wasm"] });
console.log(JSON.stringify(await replay(ort, session, JSON.parse(readFileSync(golden, "utf8")))));
process.exit(0); // its worker would keep the process waiting
