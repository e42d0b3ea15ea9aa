"""How to use a model file without this package, in five languages: code to copy, names filled in.

Each decodes one picture to RGB bytes and asks ONNX Runtime; the preparation is inside the file, so nothing else is
needed. JPEG decoders differ by a grey level here and there, and EXIF turns are honoured where the language has them.
"""

from collections.abc import Sequence

from bottega.errors import BottegaError

__all__ = ["LANGUAGES", "snippets"]

_PYTHON = """\
# pip install onnxruntime pillow
import numpy as np
import onnxruntime
from PIL import Image, ImageOps

session = onnxruntime.InferenceSession({model})
photo = ImageOps.exif_transpose(Image.open({photo})).convert("RGB")
image = np.asarray(photo)[None]  # uint8, [1, height, width, 3], any size
label, probabilities, sure = session.run(["label", "probabilities", "sure"], {"image": image})
print(label[0], probabilities[0].max(), "sure" if sure[0] else "not sure")
# probabilities[0] is in this order: {labels}
"""

_JAVASCRIPT = """\
// npm install onnxruntime-node sharp     (in a browser: onnxruntime-web, and a canvas in place of sharp)
const ort = require("onnxruntime-node");
const sharp = require("sharp");

async function main() {
  const session = await ort.InferenceSession.create({model});
  const { data, info } = await sharp({photo}).rotate().flatten({ background: "#fff" })
    .toColourspace("srgb").raw().toBuffer({ resolveWithObject: true });
  const image = new ort.Tensor("uint8", new Uint8Array(data), [1, info.height, info.width, 3]);
  const { label, probabilities, sure } = await session.run({ image });
  console.log(label.data[0], Math.max(...probabilities.data), sure.data[0] ? "sure" : "not sure");
  // probabilities.data is in this order: {labels}
}

main();
"""

_JAVA = """\
// Maven: com.microsoft.onnxruntime:onnxruntime
import ai.onnxruntime.*;
import java.awt.image.BufferedImage;
import java.io.File;
import java.nio.ByteBuffer;
import java.util.Map;
import javax.imageio.ImageIO;

public class Predict {
    public static void main(String[] args) throws Exception {
        BufferedImage photo = ImageIO.read(new File({photo}));
        int height = photo.getHeight(), width = photo.getWidth();
        ByteBuffer pixels = ByteBuffer.allocateDirect(height * width * 3);
        for (int rgb : photo.getRGB(0, 0, width, height, null, 0, width)) {
            pixels.put((byte) (rgb >> 16)).put((byte) (rgb >> 8)).put((byte) rgb);
        }
        pixels.rewind();
        OrtEnvironment environment = OrtEnvironment.getEnvironment();
        try (OrtSession session = environment.createSession({model});
             OnnxTensor image = OnnxTensor.createTensor(
                 environment, pixels, new long[] {1, height, width, 3}, OnnxJavaType.UINT8);
             OrtSession.Result answer = session.run(Map.of("image", image))) {
            String label = ((String[]) answer.get("label").get().getValue())[0];
            float[] probabilities = ((float[][]) answer.get("probabilities").get().getValue())[0];
            boolean sure = ((boolean[]) answer.get("sure").get().getValue())[0];
            float top = 0;
            for (float p : probabilities) top = Math.max(top, p);
            System.out.println(label + " " + top + (sure ? " sure" : " not sure"));
            // probabilities are in this order: {labels}
        }
    }
}
"""

_CSHARP = """\
// dotnet add package Microsoft.ML.OnnxRuntime
// dotnet add package SixLabors.ImageSharp
using System;
using System.Linq;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using SixLabors.ImageSharp;
using SixLabors.ImageSharp.PixelFormats;
using SixLabors.ImageSharp.Processing;

using var photo = Image.Load<Rgb24>({photo});
photo.Mutate(picture => picture.AutoOrient());
var pixels = new byte[photo.Height * photo.Width * 3];
photo.CopyPixelDataTo(pixels);
var image = new DenseTensor<byte>(pixels, new[] { 1, photo.Height, photo.Width, 3 });

using var session = new InferenceSession({model});
using var answer = session.Run(new[] { NamedOnnxValue.CreateFromTensor("image", image) });
var label = answer.First(output => output.Name == "label").AsTensor<string>().First();
var probabilities = answer.First(output => output.Name == "probabilities").AsTensor<float>().ToArray();
var sure = answer.First(output => output.Name == "sure").AsTensor<bool>().First();
Console.WriteLine($"{label} {probabilities.Max()} {(sure ? "sure" : "not sure")}");
// probabilities are in this order: {labels}
"""

_CPP = """\
// ONNX Runtime's C++ API, and stb_image.h to decode
#define STB_IMAGE_IMPLEMENTATION
#include "stb_image.h"
#include <onnxruntime_cxx_api.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <iostream>

int main() {
    int width = 0, height = 0, channels = 0;
    stbi_uc* pixels = stbi_load({photo}, &width, &height, &channels, 3);
    if (!pixels) return 1;

    Ort::Env environment;
    Ort::Session session(environment, ORT_TSTR({model}), Ort::SessionOptions{});
    auto memory = Ort::MemoryInfo::CreateCpu(OrtArenaAllocator, OrtMemTypeDefault);
    std::array<int64_t, 4> shape{1, height, width, 3};
    auto image = Ort::Value::CreateTensor<uint8_t>(
        memory, pixels, static_cast<size_t>(height) * width * 3, shape.data(), shape.size());

    const char* inputs[] = {"image"};
    const char* outputs[] = {"label", "probabilities", "sure"};
    auto answer = session.Run(Ort::RunOptions{}, inputs, &image, 1, outputs, 3);
    const float* first = answer[1].GetTensorData<float>();
    const float* last = first + answer[1].GetTensorTypeAndShapeInfo().GetElementCount();
    std::cout << answer[0].GetStringTensorElement(0) << " " << *std::max_element(first, last)
              << (answer[2].GetTensorData<bool>()[0] ? " sure" : " not sure") << "\\n";
    // probabilities are in this order: {labels}
    stbi_image_free(pixels);
}
"""

LANGUAGES = {"Python": _PYTHON, "JavaScript": _JAVASCRIPT, "Java": _JAVA, "C#": _CSHARP, "C++": _CPP}

MAX_LABELS = 20


def snippets(model: str, labels: Sequence[str], *, photo: str = "photo.jpg") -> dict[str, str]:
    """Code for each language, in the order of the tabs.

    Args:
        model: path of the model file, as it is to stand in the code.
        labels: its labels, in the order of the probabilities; told in a comment.
        photo: path of the picture.
    Returns:
        Language name -> code.
    Raises:
        BottegaError: a path with a line break or another control character, which no string literal here could hold.
    """
    names = ", ".join(_in_comment(label) for label in labels[:MAX_LABELS])
    if len(labels) > MAX_LABELS:
        names += f" and {len(labels) - MAX_LABELS} more"
    filled = {}
    for language, code in LANGUAGES.items():
        for mark, value in (("{model}", _literal(model)), ("{photo}", _literal(photo)), ("{labels}", names)):
            code = code.replace(mark, value)  # noqa: PLW2901 (format() would read the code's own braces)
        filled[language] = code
    return filled


def _literal(path: str) -> str:
    """A string literal that all five languages read alike."""
    if not path.isprintable():
        raise BottegaError(
            found=f"the path {path!r}", expected="a path of visible characters", fix="rename or move the file"
        )
    return '"' + path.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _in_comment(label: str) -> str:
    r"""A label that cannot end its comment: line breaks and a last `\` or Java's unicode escapes would.

    Example:
        >>> _in_comment("a\nb")
        '"a?b"'
    """
    return '"' + "".join(c if c.isprintable() and c != "\\" else "?" for c in label) + '"'
