// node node.mjs MODEL.onnx GOLDEN.json: with ONNX Runtime's native library, as a Node server would.
import { readFileSync } from "node:fs";
import ort from "onnxruntime-node";
import { replay } from "./replay.mjs";

const [model, golden] = process.argv.slice(2);
const session = await ort.InferenceSession.create(model);
console.log(JSON.stringify(await replay(ort, session, JSON.parse(readFileSync(golden, "utf8")))));
