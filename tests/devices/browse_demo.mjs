// Takes the page of `keras-deeplab demo` through its controls in headless Chromium.
//
//     node browse_demo.mjs CHROMIUM URL PHOTO BROKEN LIGHT.jpg DARK.jpg
//
// Prints, as one line of JSON, what the page said at each step. Fails where something
// cannot be found by its label, or the page itself fails.

import fs from 'node:fs';
import {createRequire} from 'node:module';

const [executablePath, url, photo, broken, light, dark] = process.argv.slice(2);
const require = createRequire(process.env.NODE_PACKAGES);
const {chromium} = require('playwright-core');

const browser = await chromium.launch({
  executablePath,
  args: [
    '--no-sandbox',
    '--use-fake-device-for-media-stream',
    '--use-fake-ui-for-media-stream',
  ],
});
const page = await browser.newPage({
  viewport: {width: 1180, height: 1020},
  colorScheme: 'light',
});
page.setDefaultTimeout(300_000);
const requests = [];
const failures = [];
page.on('request', (request) => requests.push(request.url()));
page.on('pageerror', (error) => failures.push(String(error)));
page.on('console', (message) => {
  // Chromium tells of the answer to the broken file.
  const told = message.text().includes('422');
  if (message.type() === 'error' && !told) failures.push(message.text());
});

const text = (id) => page.locator(`#${id}`).textContent();
const segmented = () => requests.filter((each) => each.includes('/segment')).length;

// Waits until the page has asked, and been answered.
async function done(act) {
  const before = segmented();
  await act();
  while (segmented() === before) await page.waitForTimeout(20);
  await page.locator('#stage[aria-busy="false"]').waitFor();
  return {
    status: await text('status'),
    error: await text('error'),
    classes: await page.locator('#classes li').allInnerTexts(),
    network: `${await text('network-time')} ${await text('network-note')}`,
    crf: await text('crf-time'),
    labels: await page.locator('#download').getAttribute('href'),
    file: await page.locator('#download').getAttribute('download'),
    overlay: await page.locator('#overlay').getAttribute('alt'),
  };
}

const slider = (name) => page.getByRole('slider', {name});
const crf = page.getByRole('switch', {name: 'Dense CRF'});
const steps = {};
steps.opened = await done(() => page.goto(url));
steps.title = await page.title();

steps.example = await done(() => page.getByRole('button', {name: 'A cat'}).click());
steps.again = await done(() => page.getByRole('button', {name: 'A promenade'}).click());
steps.crf = await done(() => crf.check());
await page.locator('h1').click();
await page.screenshot({path: light, quality: 88});
// By the keyboard alone.
steps.stronger = await done(async () => {
  await slider('Strength').focus();
  await page.keyboard.press('End');
});
await slider('Opacity').focus();
await page.keyboard.press('Home');
steps.opacity = await page.locator('#overlay').evaluate((image) => image.style.opacity);
await page.keyboard.press('End');
steps.off = await done(() => crf.uncheck());

steps.chosen = await done(() => page.setInputFiles('#file', photo));
steps.broken = await done(() => page.setInputFiles('#file', broken));

// What the page gets by a drop and by a paste.
const content = fs.readFileSync(photo).toString('base64');
async function give(type) {
  await page.evaluate(
    ([kind, base64]) => {
      const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
      const data = new DataTransfer();
      data.items.add(new File([bytes], `${kind}.png`, {type: 'image/png'}));
      const options = {bubbles: true, dataTransfer: data, clipboardData: data};
      const event = kind === 'drop' ? DragEvent : ClipboardEvent;
      document.body.dispatchEvent(new event(kind, options));
    },
    [type, content],
  );
}
steps.dropped = await done(() => give('drop'));
steps.pasted = await done(() => give('paste'));
await page.getByRole('button', {name: 'camera'}).click();
await page.locator('#viewfinder').evaluate(
  (video) => video.readyState > 1 || new Promise((ready) => (video.onloadeddata = ready)),
);
steps.camera = await done(() => page.getByRole('button', {name: 'Take the photo'}).click());

await page.emulateMedia({colorScheme: 'dark'});
await page.setViewportSize({width: 700, height: 1200});
await page.screenshot({path: dark, quality: 88, fullPage: true});
// Nothing may be left without a name.
steps.nameless = await page.evaluate(() =>
  [...document.querySelectorAll('input, select, button, a, img')]
    .filter((each) => !each.closest('dialog:not([open])'))
    .filter(
      (each) =>
        !(each.ariaLabel || each.labels?.length || each.alt || each.innerText || each.querySelector('img[alt]')),
    )
    .map((each) => each.outerHTML),
);
const origins = requests.filter((each) => /^https?:/.test(each)).map((each) => new URL(each).origin);
console.log(JSON.stringify({...steps, failures, origins: [...new Set(origins)]}));
await browser.close();
