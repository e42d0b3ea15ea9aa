// Run the golden examples of a model file, and give what it answers.

export async function replay(ort, session, examples) {
  const answers = [];
  for (const { height, width, pixels } of examples) {
    const bytes = new Uint8Array(Buffer.from(pixels, "base64"));
    const image = new ort.Tensor("uint8", bytes, [1, height, width, 3]);
    const { label, probabilities, sure } = await session.run({ image });
    answers.push({
      label: label.data[0],
      probabilities: Array.from(probabilities.data),
      sure: Boolean(sure.data[0]),
    });
  }
  return answers;
}
