// Messages put together record by record, for what no published string has: script in every text.

const ALPHABET = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l';

function encode(prefix, bytes) {
  let text = `${prefix}1`;
  let bits = 0;
  let pending = 0;
  for (const byte of bytes) {
    pending = (pending << 8) | byte;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += ALPHABET[(pending >> bits) & 31];
      pending &= (1 << bits) - 1;
    }
  }
  return bits > 0 ? text + ALPHABET[(pending << (5 - bits)) & 31] : text;
}

function record(type, value) {
  const size = (number) => (number < 0xfd ? [number] : [0xfd, number >> 8, number & 0xff]);
  return [...size(type), ...size(value.length), ...value];
}

const utf8 = (text) => [...new TextEncoder().encode(text)];
const POINT = [...Buffer.from('02eec7245d6b7d2ccb30380bfbe2a3648cd7a942653f5aa340edcea1f283686619', 'hex')];

/** An offer with these texts as description and issuer. */
export function offer(description, issuer = description) {
  return encode('lno', [...record(10, utf8(description)), ...record(18, utf8(issuer)), ...record(22, POINT)]);
}

/** An unsigned invoice request without an offer, with these texts. */
export function request(description, note = description) {
  const amount = record(82, [3, 0xe8]);
  const start = [...record(0, Array(16).fill(7)), ...record(10, utf8(description)), ...record(18, utf8(note)), ...amount];
  return encode('lnr', [...start, ...record(88, POINT), ...record(89, utf8(note))]);
}
