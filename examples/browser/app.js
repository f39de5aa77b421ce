// The page: reads the model and the photo, runs the one on the other, shows the answer.

import {ENGINES} from './engines.js';
import {readFacts} from './facts.js';
import {colorOf, contentOf, croppedLabels, overlayOf, sharesOf} from './picture.js';

const find = (id) => document.getElementById(id);
const state = {file: null, facts: null, run: null, photo: null, found: null};

/** The last answer: `labels` of `height` x `width`, in the photo's proportions; or null. */
export const found = () => state.found;

find('model').addEventListener('change', () =>
  attempt(async () => {
    state.file = new Uint8Array(await find('model').files[0].arrayBuffer());
    state.facts = readFacts(state.file);
    await start();
  }),
);
find('engine').addEventListener('change', () => attempt(start));
find('photo').addEventListener('change', () =>
  attempt(async () => {
    state.photo = await pixelsOf(find('photo').files[0]);
    await segment();
  }),
);
find('opacity').addEventListener('input', draw);

async function attempt(job) {
  state.found = null;
  say('Working …');
  try {
    await job();
  } catch (error) {
    say(`Failed: ${error.message ?? error}`, true);
  }
}

function say(text, failed = false) {
  find('status').textContent = text;
  find('status').className = failed ? 'failed' : '';
}

async function start() {
  if (!state.file) return say('Choose a model.');
  state.run = null;
  state.run = await ENGINES[find('engine').value](state.file, state.facts);
  await segment();
}

/** The pixels of an image file, upright. */
async function pixelsOf(file) {
  const bitmap = await createImageBitmap(file, {colorSpaceConversion: 'none'});
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
  const context = canvas.getContext('2d');
  // Transparency is put on white, because that is the page on which it is looked at.
  context.fillStyle = 'white';
  context.fillRect(0, 0, bitmap.width, bitmap.height);
  context.drawImage(bitmap, 0, 0);
  return context.getImageData(0, 0, bitmap.width, bitmap.height);
}

async function segment() {
  if (!state.run || !state.photo) return say('Choose a model and a photo.');
  const {run, facts} = state;
  const content = contentOf(state.photo, facts);
  // The first run prepares, above all on a GPU.
  await run(content);
  const before = performance.now();
  const labels = croppedLabels(await run(content), content, facts);
  const millis = performance.now() - before;
  state.found = {content, labels, height: content.height, width: content.width};
  draw();
  say(`${millis.toFixed(1)} ms for ${facts.input_size.join(' x ')} pixels`);
}

function draw() {
  if (!state.found) return;
  const {content, labels, height, width} = state.found;
  const names = state.facts.class_names;
  const opacity = Number(find('opacity').value);
  const data = overlayOf(content, labels, opacity, names.indexOf('background'));
  const canvas = find('picture');
  Object.assign(canvas, {height, width, hidden: false});
  canvas.getContext('2d').putImageData(new ImageData(data, width, height), 0, 0);
  find('legend').replaceChildren(
    ...sharesOf(labels).map(([label, share]) => legendItem(label, names[label], share)),
  );
}

function legendItem(label, name, share) {
  const item = document.createElement('li');
  const color = document.createElement('span');
  color.className = 'color';
  color.style.background = `rgb(${colorOf(label).join(' ')})`;
  item.append(color, `${name ?? label} ${Math.round(100 * share)} %`);
  return item;
}
