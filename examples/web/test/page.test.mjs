// The page in headless Chromium, from a file server that knows nothing.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import puppeteer from 'puppeteer-core';

import { offer, request } from './messages.mjs';

const dist = fileURLToPath(new URL('../dist', import.meta.url));
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const OFFER = 'lno1zcss9mk8y3wkklfvevcrszlmu23kfrxh49px20665dqwmn4p72pksese';
const SCRIPT = '<script>hacked=1</script><img src="https://evil.example/x" onerror="hacked=1">';
// Where the pictures go that a person looks at, if anywhere.
const shots = process.env.SHOTS;

const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css' };
const folder = mkdtempSync(join(tmpdir(), 'bolt12-page-'));
let server;
let browser;
let page;
let origin;
let requests;
let complaints;

before(async () => {
  server = createServer((query, response) => {
    try {
      const name = new URL(query.url, origin).pathname.replace(/^\/$/, '/index.html');
      const body = readFileSync(join(dist, name));
      response.writeHead(200, { 'content-type': TYPES[extname(name)] ?? 'application/octet-stream' }).end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${server.address().port}`;
  browser = await puppeteer.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu'],
  });
  if (shots) mkdirSync(shots, { recursive: true });
});

after(async () => {
  await browser?.close();
  server?.close();
  rmSync(folder, { recursive: true });
});

beforeEach(async () => {
  await page?.close();
  page = await browser.newPage();
  requests = [];
  complaints = [];
  page.on('request', (one) => {
    if (!one.url().startsWith('data:')) requests.push(one.url());
  });
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  await page.setViewport({ width: 900, height: 1000 });
  await page.goto(origin);
  await page.waitForFunction(() => document.getElementById('verdict').textContent === 'Nothing pasted yet.');
});

/** Puts `value` into a field, as pasting does. */
async function paste(value, field = 'text') {
  await page.$eval(`#${field}`, (element, value) => {
    element.value = value;
    element.dispatchEvent(new Event('input', { bubbles: true }));
  }, value);
}

const textOf = (id) => page.$eval(`#${id}`, (element) => element.textContent);

test('a valid text has its verdict and its fields in order', async () => {
  await paste(`  “${offer('coffee', 'shop')}”\n`);
  assert.equal(await textOf('verdict'), 'valid BOLT 12 offer, the payer chooses the amount, bitcoin, without expiry');
  const names = await page.$$eval('#result dt', (all) => all.map((one) => one.textContent));
  assert.deepEqual(names, ['offer_description type 10', 'offer_issuer type 18', 'offer_issuer_id type 22']);
  if (shots) await page.screenshot({ path: join(shots, 'valid.png'), fullPage: true });
});

test('a wrong place is marked in the text', async () => {
  await paste('💥 LNO1PG+\n QBS'.slice(3));
  assert.match(await textOf('verdict'), /^not valid: unexpected 'B' at byte 8/);
  assert.equal(await page.$eval('#place mark', (mark) => mark.textContent), 'B');
  assert.match(await textOf('hint'), /^Perhaps: bech32 has no b/);
  if (shots) await page.screenshot({ path: join(shots, 'invalid.png'), fullPage: true });
  // A code point of two UTF-16 units counts as one.
  await paste('bitcoin:?label=💥💥&lno=lno1pgqbs');
  assert.equal(await page.$eval('#place mark', (mark) => mark.textContent), 'b');
  await paste(OFFER);
  assert.equal(await page.$eval('#place', (place) => place.hidden), true);
});

test('a link is shown instruction by instruction', async () => {
  await paste(`bitcoin:1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa?amount=0.001&label=shop&lno=${OFFER}&lightning=${OFFER}`);
  assert.equal(await textOf('verdict'), 'a bitcoin: link with 3 instructions, 100 000 sat, label "shop", 1 cannot be read');
  const heads = await page.$$eval('#result h3', (all) => all.map((one) => one.textContent));
  assert.deepEqual(heads, [
    'address',
    'lno: valid BOLT 12 offer, the payer chooses the amount, bitcoin, without expiry',
    'not valid: an offer in lightning: expected it in lno',
  ]);
  assert.equal(await page.$eval('#place mark', (mark) => mark.textContent), OFFER);
});

test('script in every text stays text, and no request leaves the page', async () => {
  requests.length = 0;
  const link = `bitcoin:?label=${encodeURIComponent(SCRIPT)}&message=${encodeURIComponent(SCRIPT)}&sp=${encodeURIComponent(SCRIPT)}&${encodeURIComponent(SCRIPT)}=x&lno=${offer(SCRIPT)}`;
  await page.$eval('#qr', (details) => { details.open = true; });
  await page.$eval('#compare', (details) => { details.open = true; });
  for (const hostile of [offer(SCRIPT), request(SCRIPT), link, SCRIPT, `lno1${SCRIPT}`, `₿${SCRIPT}@x.org`, `bitcoin:${SCRIPT}`, `${SCRIPT}:x`]) {
    await paste(hostile);
    await paste(offer(SCRIPT), 'other');
    await new Promise((resolve) => setTimeout(resolve, 30));
    assert.equal(await page.evaluate(() => typeof hacked), 'undefined', hostile);
    const made = await page.$$eval('main script, main img:not([src^="data:image/svg+xml,"]), main iframe', (all) => all.length);
    assert.equal(made, 0, hostile);
  }
  await paste(offer(SCRIPT));
  assert.ok((await textOf('result')).includes(SCRIPT));
  assert.deepEqual(requests, []);
  assert.deepEqual(complaints, []);
  // The policy stops what a mistake in the page would let through.
  const stopped = await page.evaluate(async (origin) => {
    const violations = [];
    document.addEventListener('securitypolicyviolation', (event) => violations.push(event.effectiveDirective));
    const image = document.createElement('img');
    image.src = 'http://127.0.0.1:9/x';
    const script = document.createElement('script');
    script.textContent = 'hacked = 1';
    document.body.append(image, script);
    await fetch('http://127.0.0.1:9/').catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 100));
    return [violations.sort(), typeof hacked];
  }, origin);
  assert.deepEqual(stopped, [['connect-src', 'img-src', 'script-src-elem'], 'undefined']);
});

test('only its own files are asked for', async () => {
  const own = new Set(readdirSync(dist).map((name) => `${origin}/${name}`).concat(`${origin}/`));
  assert.ok(requests.length >= 4);
  assert.deepEqual(requests.filter((one) => !own.has(one)), []);
});

test('two texts are compared', async () => {
  await page.$eval('#compare', (details) => { details.open = true; });
  await paste(offer('coffee'));
  await paste(offer('tea', 'coffee'), 'other');
  assert.equal(await textOf('compare-verdict'), 'They differ.');
  assert.match(await textOf('differences'), /offer_description type 10first: "coffee"other: "tea"/);
  await paste(request('tea'), 'other');
  assert.match(await textOf('compare-verdict'), /^Neither answers the other: /);
  await paste('lno1', 'other');
  assert.match(await textOf('compare-verdict'), /^the other text is not valid: /);
  if (shots) await page.screenshot({ path: join(shots, 'compare.png'), fullPage: true });
});

test('a QR code is shown, and read from a picture', async () => {
  await page.$eval('#qr', (details) => { details.open = true; });
  await paste(OFFER);
  await page.waitForSelector('#codes img');
  const picture = await page.$('#codes img');
  const file = join(shots ?? folder, 'qr.png');
  await picture.screenshot({ path: file });
  await page.click('#clear');
  assert.equal(await textOf('verdict'), 'Nothing pasted yet.');
  await (await page.$('#picture')).uploadFile(file);
  await page.waitForFunction(() => document.getElementById('scanned').textContent === 'Scanned.');
  assert.equal(await page.$eval('#text', (field) => field.value), OFFER.toUpperCase());
  assert.match(await textOf('verdict'), /^valid BOLT 12 offer/);
});

test('it is used with the keyboard alone', async () => {
  const focused = () => page.evaluate(() => document.activeElement.id || document.activeElement.parentElement.id);
  const order = [];
  for (let count = 0; count < 7; count += 1) {
    await page.keyboard.press('Tab');
    order.push(await focused());
  }
  assert.deepEqual(order.slice(0, 6), ['text', 'camera', 'picture', 'clear', 'qr', 'compare']);
  await page.focus('#text');
  await page.keyboard.type('lno1');
  assert.match(await textOf('verdict'), /^not valid: offer_issuer_id/);
});

for (const scheme of ['light', 'dark']) {
  for (const width of [1000, 360]) {
    test(`axe finds nothing, ${scheme}, ${width} pixels`, async () => {
      await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
      await page.setViewport({ width, height: 800 });
      await page.$eval('#qr', (details) => { details.open = true; });
      await page.$eval('#compare', (details) => { details.open = true; });
      await paste(OFFER, 'other');
      for (const text of [offer('coffee'), 'lno1pgqbs', `bitcoin:?label=x&lno=${OFFER}&lno=lno1pqpq`]) {
        await paste(text);
        await page.evaluate(axe);
        const found = await page.evaluate(() => axe.run());
        assert.deepEqual(found.violations.map(({ id, nodes }) => [id, nodes.map((node) => node.html)]), []);
        const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
        assert.ok(overflow <= 0, `${overflow} pixels too wide`);
      }
      if (shots) await page.screenshot({ path: join(shots, `${scheme}-${width}.png`), fullPage: true });
    });
  }
}

test('the page has less than 400 kB, compressed', () => {
  const files = readdirSync(dist).map((name) => gzipSync(readFileSync(join(dist, name)), { level: 9 }).length);
  const total = files.reduce((one, next) => one + next, 0);
  console.log(`${total} bytes, compressed`);
  assert.ok(total < 400_000, `${total}`);
});
