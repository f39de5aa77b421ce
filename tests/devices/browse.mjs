// Takes the page of examples/browser through models and photos in headless Chromium.
//
//     node browse.mjs CHROMIUM SITE SCREENSHOT PHOTO MODEL:ENGINE...
//
// Prints, as one line of JSON, what each of the pairs answered: status, height, width,
// labels in base64.

import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import {createRequire} from 'node:module';

const [chromiumPath, site, screenshot, photo, ...pairs] = process.argv.slice(2);
const require = createRequire(process.env.NODE_PACKAGES);
const {chromium} = require('playwright-core');

const TYPES = {
  '.css': 'text/css',
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.wasm': 'application/wasm',
};

const server = http.createServer((request, response) => {
  const name = new URL(request.url, 'http://localhost').pathname;
  const file = path.join(site, name === '/' ? 'index.html' : name);
  if (!fs.existsSync(file)) return response.writeHead(404).end();
  const type = TYPES[path.extname(file)] ?? 'application/octet-stream';
  response.writeHead(200, {'content-type': type});
  fs.createReadStream(file).pipe(response);
});
await new Promise((ready) => server.listen(0, '127.0.0.1', ready));

const browser = await chromium.launch({
  executablePath: chromiumPath,
  args: [
    '--no-sandbox',
    '--enable-unsafe-webgpu',
    '--use-webgpu-adapter=swiftshader',
    '--enable-features=Vulkan',
    '--use-vulkan=swiftshader',
  ],
});
const page = await browser.newPage({viewport: {width: 800, height: 900}});
page.on('pageerror', (error) => console.error(error));
await page.goto(`http://127.0.0.1:${server.address().port}/`);
await page.setInputFiles('#photo', photo);

async function answer(pair) {
  const [model, engine] = pair.split(':');
  await page.selectOption('#engine', engine);
  await page.setInputFiles('#model', model);
  const done = /ms for|Failed/;
  await page.waitForFunction(
    (pattern) => new RegExp(pattern).test(document.getElementById('status').textContent),
    done.source,
    {timeout: 180_000},
  );
  return page.evaluate(async () => {
    const {found} = await import('./app.js');
    const {labels, height, width} = found() ?? {labels: []};
    return {
      status: document.getElementById('status').textContent,
      legend: document.getElementById('legend').innerText,
      height,
      width,
      labels: btoa(Array.from(labels, (label) => String.fromCharCode(label)).join('')),
    };
  });
}

const answers = {};
for (const pair of pairs) {
  answers[pair] = await answer(pair);
  await page.reload();
  await page.setInputFiles('#photo', photo);
}
await answer(pairs[0]);
await page.screenshot({path: screenshot});
console.log(JSON.stringify(answers));
await browser.close();
server.close();
