// What a file that `keras-deeplab export` wrote says of itself.

const NAME = 'keras_deeplab.json';
const END = 0x06054b50;
const END_SIZE = 22;

/**
 * Reads the facts at the end of a .tflite file.
 * @param {Uint8Array} file The whole file.
 * @return {object} input_size, input_dtype, form, class_names, mean, std, resize_mode,
 *     pad_pixel.
 */
export function readFacts(file) {
  const text = appendedText(file, NAME);
  if (text === null) throw new Error(`The file has no ${NAME}: export it again.`);
  return JSON.parse(text);
}

/** The text of a member, not compressed, of the zip archive at a file's end, or null. */
function appendedText(file, name) {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const at = (place) => view.getUint16(place, true);
  const long = (place) => view.getUint32(place, true);
  const text = (start, size) => new TextDecoder().decode(file.subarray(start, start + size));
  let end = file.length - END_SIZE;
  while (end >= 0 && long(end) !== END) end--;
  if (end < 0) return null;
  let entry = end - long(end + 12);
  // Where the archive counts its offsets from: the file's start, or its own.
  const origin = entry - long(end + 16);
  for (let left = at(end + 10); left > 0; left--) {
    if (text(entry + 46, at(entry + 28)) === name) {
      const local = origin + long(entry + 42);
      return text(local + 30 + at(local + 26) + at(local + 28), long(entry + 24));
    }
    entry += 46 + at(entry + 28) + at(entry + 30) + at(entry + 32);
  }
  return null;
}
