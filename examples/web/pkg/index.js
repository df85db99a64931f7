// BOLT 12 in JavaScript. The types and what each call returns are in index.d.ts.

/**
 * Loads the WebAssembly module: from the file next to this one, or from what is given (bytes, a Response, a URL).
 */
export async function load(source = new URL('bolt12.wasm', import.meta.url)) {
  const module = await WebAssembly.compile(await bytesOf(source));
  return new Bolt12(module);
}

async function bytesOf(source) {
  if (typeof source === 'string') source = new URL(source);
  if (source instanceof URL) {
    if (source.protocol === 'file:') {
      const { readFile } = await import('node:fs/promises');
      return readFile(source);
    }
    source = await fetch(source);
  }
  if (typeof Response !== 'undefined' && source instanceof Response) {
    if (!source.ok) throw new Error(`bolt12.wasm: ${source.status} ${source.statusText}`);
    return source.arrayBuffer();
  }
  return source;
}

class Bolt12 {
  #module;
  #exports;

  constructor(module) {
    this.#module = module;
    this.#start();
  }

  decode(text, { now = present() } = {}) {
    return this.#ask({ call: 'decode', text: String(text), now });
  }

  uri(text) {
    return this.#ask({ call: 'uri', text: String(text) });
  }

  compare(a, b, { now = present() } = {}) {
    return this.#ask({ call: 'compare', a: String(a), b: String(b), now });
  }

  verify(question, answer, { now = present() } = {}) {
    return this.#ask({ call: 'verify', question: String(question), answer: String(answer), now });
  }

  qr(text) {
    const answer = this.#ask({ call: 'qr', text: String(text) });
    if (!answer.valid) throw new Error(answer.error.message);
    return answer.codes;
  }

  scan(grey, width) {
    if (!(width > 0) || grey.length % width !== 0) throw new RangeError('the picture is no rectangle');
    return this.#call(grey, width);
  }

  #start() {
    this.#exports = new WebAssembly.Instance(this.#module, {}).exports;
  }

  #ask(request) {
    return this.#call(new TextEncoder().encode(JSON.stringify(request)), 0);
  }

  #call(bytes, width) {
    try {
      const place = this.#exports.input(bytes.length) >>> 0;
      new Uint8Array(this.#exports.memory.buffer).set(bytes, place);
      const length = this.#exports.call(width) >>> 0;
      // The memory may have moved while it grew.
      const answer = new Uint8Array(this.#exports.memory.buffer, this.#exports.output() >>> 0, length);
      return JSON.parse(new TextDecoder().decode(answer));
    } catch (error) {
      // A module that trapped is not used again.
      this.#start();
      throw error;
    }
  }
}

const present = () => Math.floor(Date.now() / 1000);
