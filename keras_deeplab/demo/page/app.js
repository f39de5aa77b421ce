// The page of `keras-deeplab demo`: sends a photo, and shows what comes back.

import {takePhoto} from './camera.js';

const $ = (id) => document.getElementById(id);

let facts;
// What is shown: {name, blob}.
let photo = null;
let running = false;
let again = false;

function say(message) {
  $('status').textContent = message;
}

function complain(message) {
  $('error').textContent = message;
  $('error').hidden = !message;
}

function element(name, properties, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

const milliseconds = (ms) => (ms < 1000 ? `${ms.toFixed(0)} ms` : `${(ms / 1000).toFixed(2)} s`);

// One question at a time; of those that come meanwhile the last counts.
async function ask() {
  if (!photo) return;
  again = running;
  if (running) return;
  running = true;
  $('stage').setAttribute('aria-busy', 'true');
  do {
    again = false;
    await segment();
  } while (again);
  running = false;
  $('stage').setAttribute('aria-busy', 'false');
}

async function segment() {
  const {name, blob} = photo;
  const strength = $('crf').checked ? $('strength').value : '0';
  const query = new URLSearchParams({model: $('model').value, strength});
  say(`Segmenting ${name} …`);
  try {
    const response = await fetch(`segment?${query}`, {method: 'POST', body: blob});
    const answer = await response.json();
    if (!response.ok) throw new Error(answer.error);
    complain('');
    show(name, answer);
  } catch (error) {
    const lost = error instanceof TypeError;
    say('');
    complain(lost ? 'There is no answer: is “keras-deeplab demo” still running?' : error.message);
  }
}

function show(name, answer) {
  const {width, height} = answer;
  const stage = $('stage').style;
  stage.aspectRatio = `${width} / ${height}`;
  stage.width = `min(100%, calc(72vh * ${width / height}))`;
  for (const id of ['photo', 'overlay']) {
    $(id).src = answer[id];
    $(id).hidden = false;
  }
  $('invitation').hidden = true;
  const found = answer.classes.map(({name, percent}) => `${name} ${percent}`).join(', ');
  $('photo').alt = name;
  $('overlay').alt = `Classes in colour: ${found}`;
  $('classes').replaceChildren(...answer.classes.map(legendRow));
  $('network-time').textContent = milliseconds(answer.network_ms);
  $('network-note').textContent = networkNote(answer);
  $('crf-time').textContent = answer.crf_ms === null ? 'off' : milliseconds(answer.crf_ms);
  $('download').href = answer.labels;
  $('download').download = `${name.replace(/\.[^.]*$/, '')}.labels.png`;
  $('download').hidden = false;
  const reduced = answer.sent_width !== width || answer.sent_height !== height;
  const from = reduced ? `, reduced from ${answer.sent_width} × ${answer.sent_height}` : '';
  say(`${name}: ${width} × ${height} pixels${from}`);
}

function networkNote({network_ran, first_of_size}) {
  if (!network_ran) return 'not run again';
  return first_of_size ? 'first photo of this size' : '';
}

function legendRow({name, color, share, percent}) {
  const swatch = element('span', {className: 'color', ariaHidden: 'true'});
  const bar = element('span', {className: 'bar', ariaHidden: 'true'});
  for (const {style} of [swatch, bar]) style.setProperty('--color', color ? `rgb(${color})` : '');
  bar.style.width = `${100 * share}%`;
  swatch.title = color ? '' : 'Shown without a colour';
  return element(
    'li',
    {},
    swatch,
    element('span', {textContent: name}),
    element('span', {className: 'percent', textContent: percent}),
    element('span', {className: 'track'}, bar),
  );
}

function take(blob, name) {
  if (!blob) return complain('That was no file: drop or paste a photo.');
  if (blob.size > facts.max_bytes) return complain(facts.too_large);
  complain('');
  photo = {name: name ?? blob.name ?? 'photo.png', blob};
  ask();
}

async function takeExample(file) {
  const response = await fetch(`examples/${file}`);
  take(await response.blob(), file);
}

function describeModel() {
  const {about, classes} = facts.models.find(({name}) => name === $('model').value);
  const known = classes ? `: ${classes.length} classes, ${classes.join(', ')}` : '';
  $('about').textContent = `${about}${known}.`;
}

function showOpacity() {
  $('opacity-value').textContent = `${$('opacity').value} %`;
  $('overlay').style.opacity = $('opacity').value / 100;
}

function showStrength() {
  $('strength').disabled = !$('crf').checked;
  $('strength-value').textContent = `× ${Number($('strength').value).toFixed(1)}`;
}

function listen() {
  $('file').addEventListener('change', () => {
    if ($('file').files.length) take($('file').files[0]);
    // The same file may be chosen again.
    $('file').value = '';
  });
  $('model').addEventListener('change', () => (describeModel(), ask()));
  $('opacity').addEventListener('input', showOpacity);
  $('crf').addEventListener('change', () => (showStrength(), ask()));
  $('strength').addEventListener('input', () => (showStrength(), ask()));
  document.addEventListener('paste', (event) => take(event.clipboardData.files[0]));
  document.addEventListener('dragover', (event) => {
    event.preventDefault();
    $('stage').classList.add('target');
  });
  document.addEventListener('dragleave', (event) => {
    if (!event.relatedTarget) $('stage').classList.remove('target');
  });
  document.addEventListener('drop', (event) => {
    event.preventDefault();
    $('stage').classList.remove('target');
    take(event.dataTransfer.files[0]);
  });
  $('camera').hidden = !navigator.mediaDevices?.getUserMedia;
  $('camera').addEventListener('click', async () => {
    try {
      const blob = await takePhoto($('camera-dialog'), $('viewfinder'), $('take'), $('cancel'));
      if (blob) take(blob, 'camera.png');
    } catch (error) {
      complain(`The camera cannot be used: ${error.message}`);
    }
  });
}

async function begin() {
  facts = await (await fetch('facts')).json();
  $('model').replaceChildren(
    ...facts.models.map(({name}) => element('option', {value: name, textContent: name})),
  );
  $('strength').max = facts.max_strength;
  $('examples').replaceChildren(
    ...facts.examples.map(({file, title}) => {
      const image = element('img', {src: `examples/${file}`, alt: title});
      const button = element('button', {type: 'button', title}, image);
      button.addEventListener('click', () => takeExample(file));
      return element('li', {}, button);
    }),
  );
  describeModel();
  showOpacity();
  showStrength();
  listen();
  takeExample(facts.examples[0].file);
}

begin();
