// Run the golden examples of a model file, and give what it answers.

export async function replay(ort, session, examples) {
  const answers = [];
  for (const example of examples) {
    const { label, probabilities, sure } = await session.run(inputs(ort, example));
    answers.push({
      label: label.data[0],
      probabilities: Array.from(probabilities.data),
      sure: Boolean(sure.data[0]),
    });
  }
  return answers;
}

function inputs(ort, { text, height, width, pixels }) {
  if (text !== undefined) {
    return { text: new ort.Tensor("string", [text], [1]) };
  }
  const bytes = new Uint8Array(Buffer.from(pixels, "base64"));
  return { image: new ort.Tensor("uint8", bytes, [1, height, width, 3]) };
}
