// The package, packed and installed as users get it, in Node.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';

import { offer, request } from './messages.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const vectors = (name) => JSON.parse(readFileSync(join(here, '../../../tests/vectors', name), 'utf8'));
const OFFER = 'lno1zcss9mk8y3wkklfvevcrszlmu23kfrxh49px20665dqwmn4p72pksese';
const folder = mkdtempSync(join(tmpdir(), 'bolt12-package-'));
let bolt12;

before(async () => {
  const pack = execFileSync('npm', ['pack', '--silent', '--pack-destination', folder, join(here, '../pkg')], { encoding: 'utf8' });
  writeFileSync(join(folder, 'package.json'), '{"private": true, "type": "module"}');
  execFileSync('npm', ['install', '--silent', '--no-audit', '--no-fund', '--offline', join(folder, pack.trim())], { cwd: folder });
  const entry = join(folder, 'node_modules/bolt12-wasm/index.js');
  const { load } = await import(pathToFileURL(entry));
  bolt12 = await load();
});
after(() => rmSync(folder, { recursive: true }));

test('every official offer has the verdict of the specification', () => {
  const { cases } = vectors('bolt12/offers.json');
  assert.equal(cases.length, 53);
  for (const { string, valid } of cases) {
    // What is pasted may have blanks around it; the specification's reader takes none.
    const answer = bolt12.decode(string);
    assert.equal(answer.valid, valid, string);
    if (valid) assert.match(answer.explanation.verdict, /^valid BOLT 12 offer, /);
    else assert.equal(typeof answer.error.code, 'string');
  }
});

test('every published message is decoded with all its records', () => {
  let decoded = 0;
  for (const { string } of vectors('bolt12/interop_messages.json').cases) {
    const answer = bolt12.decode(string, { now: 1_760_000_000 });
    if (!answer.valid) continue;
    assert.equal(answer.records.length, answer.explanation.fields.length);
    decoded += 1;
  }
  assert.ok(decoded > 40, `${decoded}`);
});

test('an error points at the characters as they were pasted', () => {
  const { error } = bolt12.decode(' “LNO1PG+\n QBS”');
  assert.deepEqual(error.text_range, [12, 13]);
  assert.equal(error.code, 'invalid-character');
  assert.match(error.hint, /^bech32 has no b/);
});

test('links and names are read', () => {
  const link = bolt12.uri(`bitcoin:?amount=0.001&lno=${OFFER}&lno=lno1pqpq`);
  assert.deepEqual([link.valid, link.amount, link.instructions.length], [false, 100_000_000, 2]);
  assert.equal(link.instructions[1].error.code, 'record-cut-off');
  const name = bolt12.decode('₿matt@x.org');
  assert.equal(name.instructions[0].dns_name, 'matt.user._bitcoin-payment.x.org.');
});

test('two messages are compared, and answers verified', () => {
  const a = offer('coffee');
  assert.deepEqual(bolt12.compare(a, a).differences, []);
  const { differences } = bolt12.compare(a, offer('tea'));
  assert.deepEqual(differences.map(({ type }) => type), [10, 18]);
  assert.equal(bolt12.compare('lno1', a).of, 'a');
  const refused = bolt12.verify(a, request('refund'));
  assert.deepEqual([refused.valid, refused.answers], [true, false]);
  assert.match(refused.error, /differs from the offer/);
  const proofs = vectors('bolt12/payer_proofs.json');
  const proof = bolt12.decode(proofs.valid[0].proof);
  assert.match(proof.explanation.verdict, /^valid BOLT 12 payer proof, both signatures and the preimage good/);
});

test('a QR code is made and read', () => {
  const [code] = bolt12.qr(OFFER);
  assert.equal(code.text, OFFER.toUpperCase());
  // The SVG as pixels: each run of dark modules is a path.
  const side = code.width + 8;
  const grey = new Uint8Array(side * side * 16).fill(255);
  for (const [, x, y, length] of code.svg.matchAll(/M(\d+) (\d+)h(\d+)v1/g)) {
    for (let row = 4 * y; row < 4 * y + 4; row += 1) grey.fill(0, row * side * 4 + 4 * x, row * side * 4 + 4 * (+x + +length));
  }
  assert.deepEqual(bolt12.scan(grey, side * 4), [code.text]);
  assert.deepEqual(bolt12.scan(new Uint8Array(100), 10), []);
  assert.throws(() => bolt12.scan(new Uint8Array(7), 2), RangeError);
  assert.throws(() => bolt12.qr('hello'), /no separator/);
});

test('hostile inputs are answered', () => {
  for (const text of ['', '\0', '\ud800', '💥'.repeat(1000), 'q'.repeat(2_000_000), `bitcoin:?${'lno=x&'.repeat(10_000)}`]) {
    assert.equal(bolt12.decode(text).valid, false);
  }
  assert.equal(bolt12.decode(offer('a\u202eb\n')).explanation.fields[0].meaning, '"a\ufffdb\ufffd"');
  assert.equal(bolt12.decode(OFFER).valid, true);
});

test('the types name what the calls return', () => {
  const types = readFileSync(join(here, '../pkg/index.d.ts'), 'utf8');
  for (const call of ['decode', 'uri', 'compare', 'verify', 'qr', 'scan']) {
    assert.equal(typeof bolt12[call], 'function');
    assert.match(types, new RegExp(`\\n  ${call}\\(`));
  }
  for (const member of Object.keys(bolt12.decode('lno1pgqbs').error)) assert.match(types, new RegExp(`  ${member}\\??:`));
});
