// From a photo to a model's input, and from its labels to a picture.

import {averaged, sampled} from './resize.js';

/**
 * Brings a photo to the size at which a model sees it: stretched, or in its own
 * proportions and never enlarged.
 */
export function contentOf(photo, facts) {
  const [height, width] = facts.input_size;
  if (facts.resize_mode === 'stretch') return sampled(photo, height, width);
  const factor = Math.min(1, height / photo.height, width / photo.width);
  const scaled = (side) => Math.max(1, roundedToEven(side * factor));
  return averaged(photo, scaled(photo.height), scaled(photo.width));
}

/** Lays a photo into the top left corner of a model's input; RGB, `float32` or `uint8`. */
export function inputOf(content, facts) {
  const [height, width] = facts.input_size;
  const floats = facts.input_dtype === 'float32';
  const input = new (floats ? Float32Array : Uint8Array)(height * width * 3);
  for (let y = 0, place = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const inside = y < content.height && x < content.width;
      for (let channel = 0; channel < 3; channel++) {
        const value = inside
          ? content.data[(y * content.width + x) * 4 + channel]
          : facts.pad_pixel[channel];
        input[place++] = floats
          ? (value - facts.mean[channel]) / facts.std
          : roundedToEven(value);
      }
    }
  }
  return input;
}

/** The labels of a photo's own pixels, of those of the padded input. */
export function croppedLabels(labels, content, facts) {
  const width = facts.input_size[1];
  return Uint8Array.from({length: content.height * content.width}, (_, i) => {
    const y = Math.floor(i / content.width);
    return labels[y * width + (i % content.width)];
  });
}

/** The classes of the largest values; the last axis is that of the classes. */
export function labelsOf(values, classes) {
  return Uint8Array.from({length: values.length / classes}, (_, pixel) => {
    let best = 0;
    for (let label = 1; label < classes; label++) {
      if (values[pixel * classes + label] > values[pixel * classes + best]) best = label;
    }
    return best;
  });
}

/** The PASCAL VOC colour of a label. */
export function colorOf(label) {
  const color = [0, 0, 0];
  for (let place = 0; place < 8; place++) {
    for (let channel = 0; channel < 3; channel++) {
      color[channel] |= ((label >> (3 * place + channel)) & 1) << (7 - place);
    }
  }
  return color;
}

/** RGBA of the classes in colour over the photo; a background is left as it is. */
export function overlayOf(content, labels, opacity, background) {
  const data = new Uint8ClampedArray(content.data);
  for (let pixel = 0; pixel < labels.length; pixel++) {
    if (labels[pixel] === background) continue;
    const color = colorOf(labels[pixel]);
    for (let channel = 0; channel < 3; channel++) {
      const below = data[4 * pixel + channel];
      data[4 * pixel + channel] = Math.floor(below + opacity * (color[channel] - below));
    }
  }
  return data;
}

/** `[label, share]` of each class that occurs, largest first. */
export function sharesOf(labels) {
  const counts = new Map();
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
  return [...counts]
    .map(([label, count]) => [label, count / labels.length])
    .sort((one, other) => other[1] - one[1] || one[0] - other[0]);
}

function roundedToEven(value) {
  const rounded = Math.round(value);
  return rounded - value === 0.5 && rounded % 2 ? rounded - 1 : rounded;
}
