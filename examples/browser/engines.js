// What runs a file. An engine turns a photo, at the size at which the model sees it, into
// the labels of the model's input: async (content) => Uint8Array.

import {loadAndCompile, loadLiteRt, Tensor} from '@litertjs/core';
import {FilesetResolver, ImageSegmenter} from '@mediapipe/tasks-vision';

import {inputOf, labelsOf} from './picture.js';

const PACKAGES = new URL('./node_modules/', import.meta.url);

export const ENGINES = {
  wasm: (file, facts) => liteRt(file, facts, 'wasm'),
  webgpu: (file, facts) => liteRt(file, facts, 'webgpu'),
  mediapipe: mediaPipe,
};

// Loaded once a page.
let loading = null;

async function liteRt(file, facts, accelerator) {
  if (accelerator === 'webgpu' && facts.form !== 'delegate') {
    throw new Error('The GPU takes a file of `--outputs delegate`.');
  }
  loading ??= loadLiteRt(new URL('@litertjs/core/wasm/', PACKAGES).href);
  await loading;
  const model = await loadAndCompile(file, {accelerator});
  if (accelerator === 'webgpu' && !model.isFullyAccelerated) {
    throw new Error('The GPU does not take all of this file.');
  }
  const shape = [1, ...facts.input_size, 3];
  return async (content) => {
    const onCpu = new Tensor(inputOf(content, facts), shape);
    const input = accelerator === 'webgpu' ? await onCpu.moveTo('webgpu') : onCpu;
    const [output] = await model.run(input);
    const answer = accelerator === 'webgpu' ? await output.moveTo('wasm') : output;
    const values = answer.toTypedArray().slice();
    input.delete();
    answer.delete();
    if (facts.form === 'labels') return Uint8Array.from(values);
    return labelsOf(values, facts.class_names.length);
  };
}

async function mediaPipe(file, facts) {
  if (facts.form !== 'delegate') {
    throw new Error('MediaPipe takes a file of `--outputs delegate`.');
  }
  const wasm = await FilesetResolver.forVisionTasks(
    new URL('@mediapipe/tasks-vision/wasm', PACKAGES).href,
  );
  const segmenter = await ImageSegmenter.createFromOptions(wasm, {
    baseOptions: {modelAssetBuffer: file, delegate: 'CPU'},
    outputCategoryMask: true,
    outputConfidenceMasks: false,
    runningMode: 'IMAGE',
  });
  const [height, width] = facts.input_size;
  const asPixels = {...facts, input_dtype: 'uint8'};
  return async (content) => {
    // It normalizes the pixels itself, as the file's metadata say.
    const rgb = inputOf(content, asPixels);
    const image = new ImageData(width, height);
    for (let pixel = 0; pixel < width * height; pixel++) {
      image.data.set([...rgb.subarray(3 * pixel, 3 * pixel + 3), 255], 4 * pixel);
    }
    const result = segmenter.segment(image);
    const labels = result.categoryMask.getAsUint8Array().slice();
    result.close();
    return labels;
  };
}
