// Brings a photo to the size at which the model sees it, as `keras_deeplab.segment` does.
// A picture is {height, width, data}, with four bytes a pixel, RGBA, like ImageData.

const LOBES = 3;
const ONE = 2 ** 22;

/** Lanczos, averaging over all pixels that one of the result covers: to the bit Pillow's. */
export function averaged(image, height, width) {
  const narrow = width === image.width ? image : horizontally(image, width);
  return height === image.height ? narrow : vertically(narrow, height);
}

/** Bilinear, at the centres of the result's pixels, without averaging. */
export function sampled(image, height, width) {
  const data = new Uint8ClampedArray(height * width * 4);
  const columns = Array.from({length: width}, (_, x) => sample(x, width, image.width));
  for (let y = 0, place = 0; y < height; y++) {
    const [top, bottom, down] = sample(y, height, image.height);
    for (const [left, right, across] of columns) {
      for (let channel = 0; channel < 4; channel++) {
        const value = (row, column) => image.data[(row * image.width + column) * 4 + channel];
        const mix = (row) =>
          value(row, left) + (value(row, right) - value(row, left)) * across;
        data[place++] = Math.floor(mix(top) + (mix(bottom) - mix(top)) * down);
      }
    }
  }
  return {height, width, data};
}

function sample(index, size, sourceSize) {
  const place = ((index + 0.5) * sourceSize) / size - 0.5;
  const first = Math.floor(place);
  const inside = (value) => Math.min(Math.max(value, 0), sourceSize - 1);
  return [inside(first), inside(first + 1), place - first];
}

function horizontally(image, width) {
  const data = new Uint8ClampedArray(image.height * width * 4);
  const all = kernels(image.width, width);
  for (let y = 0, place = 0; y < image.height; y++) {
    for (const kernel of all) {
      const start = (y * image.width + kernel.start) * 4;
      for (let channel = 0; channel < 4; channel++) {
        data[place++] = weighed(image.data, start + channel, 4, kernel.weights);
      }
    }
  }
  return {height: image.height, width, data};
}

function vertically(image, height) {
  const row = image.width * 4;
  const data = new Uint8ClampedArray(height * row);
  let place = 0;
  for (const kernel of kernels(image.height, height)) {
    for (let column = 0; column < row; column++) {
      data[place++] = weighed(image.data, kernel.start * row + column, row, kernel.weights);
    }
  }
  return {height, width: image.width, data};
}

function weighed(data, start, step, weights) {
  let sum = ONE / 2;
  for (let i = 0, place = start; i < weights.length; i++, place += step) {
    sum += data[place] * weights[i];
  }
  return Math.floor(sum / ONE);
}

function kernels(sourceSize, size) {
  const scale = sourceSize / size;
  const stretch = Math.max(scale, 1);
  const reach = LOBES * stretch;
  return Array.from({length: size}, (_, index) => {
    const center = (index + 0.5) * scale;
    const start = Math.max(Math.trunc(center - reach + 0.5), 0);
    const end = Math.min(Math.trunc(center + reach + 0.5), sourceSize);
    const weights = Float64Array.from({length: end - start}, (_, i) =>
      lanczos((i + start - center + 0.5) / stretch),
    );
    const sum = weights.reduce((total, weight) => total + weight, 0);
    return {start, weights: weights.map((weight) => fixedPoint(weight / sum))};
  });
}

function fixedPoint(weight) {
  const scaled = weight * ONE;
  return Math.trunc(scaled < 0 ? scaled - 0.5 : scaled + 0.5);
}

function lanczos(x) {
  return Math.abs(x) < LOBES ? sinc(x) * sinc(x / LOBES) : 0;
}

function sinc(x) {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}
