// The page: a text in, what it says out. Texts of other nodes are only ever set as text, never as HTML.
import { load } from './bolt12.js';

const $ = (id) => document.getElementById(id);
const text = $('text');
const other = $('other');

/** An element with a class and children; strings become text. */
function element(name, className, ...children) {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.append(...children);
  return made;
}

let bolt12;
try {
  bolt12 = await load();
} catch (error) {
  say($('verdict'), `The page could not be loaded: ${error.message}`, 'bad');
  throw error;
}

function say(place, message, className = '') {
  place.textContent = message;
  place.className = className;
}

/** The fields of a message, in its order. */
function fields(explanation) {
  const list = element('dl', '');
  for (const field of explanation.fields) {
    const name = element('dt', '', field.name ?? 'unknown', ' ', element('span', 'type', `type ${field.type}`));
    const meaning = element('dd', field.known ? '' : 'quiet', field.meaning);
    const details = field.details.map((line) => element('dd', 'quiet', line));
    list.append(element('div', '', name, meaning, ...details, element('dd', 'raw', field.hex || 'no bytes')));
  }
  return list;
}

/** The text with the wrong place marked. The range counts code points. */
function showPlace(pasted, range) {
  const place = $('place');
  place.hidden = !range;
  place.replaceChildren();
  if (!range) return;
  const characters = Array.from(pasted);
  const [start, end] = range;
  // Of a very long text, what is around the place.
  const from = Math.max(0, start - 2000);
  const to = Math.min(characters.length, start + 4000);
  const cut = (a, b) => characters.slice(Math.max(a, from), Math.min(b, to)).join('');
  place.append(from > 0 ? '…' : '', cut(0, start), element('mark', '', cut(start, end) || '\u00a0'), cut(end, characters.length));
  if (to < characters.length) place.append('…');
}

function showError(error, pasted) {
  say($('hint'), error.hint ? `Perhaps: ${error.hint}.` : '', 'quiet');
  showPlace(pasted, error.text_range);
}

function showLink(answer, result) {
  say($('verdict'), answer.verdict, answer.valid ? 'good' : 'bad');
  for (const instruction of answer.instructions) {
    // The error of one that cannot be read names its key.
    const key = instruction.key && !instruction.error ? `${instruction.key}: ` : '';
    const says = instruction.error ? `not valid: ${instruction.error.message}` : (instruction.explanation?.verdict ?? instruction.type);
    const about = element('section', '', element('h3', instruction.error ? 'bad' : '', key + says));
    if (instruction.dns_name) about.append(element('p', '', `Its instructions are the TXT records of ${instruction.dns_name}`));
    if (instruction.text) about.append(element('p', 'quiet', instruction.text));
    if (instruction.explanation) about.append(fields(instruction.explanation));
    result.append(about);
    if (instruction.error) showError(instruction.error, text.value);
  }
}

function decode() {
  const result = $('result');
  result.replaceChildren();
  showError({}, '');
  if (text.value.trim() === '') {
    say($('verdict'), 'Nothing pasted yet.');
  } else {
    const answer = bolt12.decode(text.value);
    if (answer.error) {
      say($('verdict'), `not valid: ${answer.error.message}`, 'bad');
      showError(answer.error, text.value);
    } else if (answer.type === 'uri') {
      showLink(answer, result);
    } else {
      say($('verdict'), answer.explanation.verdict, 'good');
      result.append(fields(answer.explanation));
    }
  }
  showCodes();
  compare();
}

function showCodes() {
  const codes = $('codes');
  codes.replaceChildren();
  if (!$('qr').open || text.value.trim() === '') return say($('qr-note'), '', 'quiet');
  try {
    const made = bolt12.qr(text.value);
    say($('qr-note'), made.length > 1 ? `${made.length} codes: scan them in this order, and join the texts.` : '', 'quiet');
    made.forEach((code, index) => {
      const image = element('img', '');
      image.src = `data:image/svg+xml,${encodeURIComponent(code.svg)}`;
      image.alt = `QR code ${index + 1} of ${made.length}`;
      codes.append(element('figure', '', image));
    });
  } catch (error) {
    say($('qr-note'), `no QR code: ${error.message}`, 'quiet');
  }
}

function compare() {
  const list = $('differences');
  const verdict = $('compare-verdict');
  list.replaceChildren();
  if (!$('compare').open || other.value.trim() === '' || text.value.trim() === '') return say(verdict, '');
  const answer = bolt12.compare(text.value, other.value);
  if (!answer.valid) {
    const which = answer.of === 'a' ? 'the first text' : 'the other text';
    return say(verdict, `${which} is not valid: ${answer.error.message}`, 'bad');
  }
  if (answer.answers === true) say(verdict, 'One answers the other.', 'good');
  else if (answer.answers === false) say(verdict, `Neither answers the other: ${answer.error}`, 'bad');
  else say(verdict, answer.differences.length === 0 ? 'The same.' : 'They differ.');
  const meanings = element('dl', '');
  const meaning = (explanation, type) => explanation.fields.find((field) => field.type === type)?.meaning ?? 'not there';
  for (const difference of answer.differences) {
    const name = element('dt', '', difference.name ?? 'unknown', ' ', element('span', 'type', `type ${difference.type}`));
    const first = element('dd', '', `first: ${meaning(answer.a, difference.type)}`);
    const second = element('dd', '', `other: ${meaning(answer.b, difference.type)}`);
    meanings.append(element('div', '', name, first, second));
  }
  if (answer.differences.length > 0) list.append(meanings);
}

/** The texts of the QR codes in a picture. */
function scan(picture, width, height) {
  const canvas = document.createElement('canvas');
  const scale = Math.min(1, 1200 / Math.max(width, height));
  canvas.width = Math.max(1, Math.round(width * scale));
  canvas.height = Math.max(1, Math.round(height * scale));
  const context = canvas.getContext('2d', { willReadFrequently: true });
  context.fillStyle = '#fff';
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(picture, 0, 0, canvas.width, canvas.height);
  const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
  const grey = new Uint8Array(canvas.width * canvas.height);
  for (let index = 0; index < grey.length; index += 1) {
    const at = index * 4;
    grey[index] = (data[at] * 77 + data[at + 1] * 150 + data[at + 2] * 29) >> 8;
  }
  return bolt12.scan(grey, canvas.width);
}

/** Takes a scanned text. One that ends with `+` waits for the next part. */
function take(found) {
  text.value = text.value.trimEnd().endsWith('+') ? text.value.trimEnd() + found : found;
  const more = found.endsWith('+');
  say($('scanned'), more ? 'A part was scanned: scan the next one.' : 'Scanned.');
  decode();
  return more;
}

async function openPicture(file) {
  try {
    const picture = await createImageBitmap(file);
    const found = scan(picture, picture.width, picture.height);
    if (found.length === 0) return say($('scanned'), 'No QR code was found in the picture.');
    found.forEach(take);
  } catch {
    say($('scanned'), 'The picture cannot be read.');
  }
}

let stream;
function stopCamera() {
  stream?.getTracks().forEach((track) => track.stop());
  stream = undefined;
  $('video').hidden = true;
  $('camera').textContent = 'Scan with the camera';
}

async function startCamera() {
  const video = $('video');
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment' } });
  } catch {
    return say($('scanned'), 'There is no camera, or the browser does not allow it.');
  }
  video.srcObject = stream;
  video.hidden = false;
  $('camera').textContent = 'Stop the camera';
  await video.play();
  let last = '';
  const look = () => {
    if (!stream) return;
    if (video.videoWidth > 0) {
      const found = scan(video, video.videoWidth, video.videoHeight).find((one) => one !== last);
      if (found) {
        last = found;
        if (!take(found)) return stopCamera();
      }
    }
    setTimeout(look, 200);
  };
  look();
}

text.addEventListener('input', decode);
other.addEventListener('input', compare);
$('qr').addEventListener('toggle', showCodes);
$('compare').addEventListener('toggle', compare);
$('clear').addEventListener('click', () => {
  text.value = '';
  say($('scanned'), '');
  decode();
  text.focus();
});
$('camera').addEventListener('click', () => (stream ? stopCamera() : startCamera()));
$('picture').addEventListener('change', (event) => {
  const [file] = event.target.files;
  if (file) openPicture(file);
});
document.addEventListener('paste', (event) => {
  const file = Array.from(event.clipboardData?.files ?? []).find((one) => one.type.startsWith('image/'));
  if (file) {
    event.preventDefault();
    openPicture(file);
  }
});
document.addEventListener('dragover', (event) => {
  event.preventDefault();
  document.body.classList.add('dropping');
});
document.addEventListener('dragleave', () => document.body.classList.remove('dropping'));
document.addEventListener('drop', (event) => {
  event.preventDefault();
  document.body.classList.remove('dropping');
  const [file] = event.dataTransfer.files;
  if (file) return openPicture(file);
  const dropped = event.dataTransfer.getData('text');
  if (dropped) {
    text.value = dropped;
    decode();
  }
});

decode();
