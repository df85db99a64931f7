//! A PNG image of dark and light squares: one bit a pixel, not compressed.

/// The image of a square of `side` modules, each of `scale` pixels on each side.
pub(super) fn image(side: usize, scale: usize, is_dark: impl Fn(usize, usize) -> bool) -> Vec<u8> {
    let pixels = side.saturating_mul(scale);
    let mut rows = Vec::new();
    for row in 0..side {
        let mut line = vec![0u8; pixels.div_ceil(8).saturating_add(1)];
        // The first byte of a row is the filter, none. In the others a set bit is light.
        for (index, byte) in line.iter_mut().skip(1).enumerate() {
            for bit in 0..8usize {
                let pixel = index.saturating_mul(8).saturating_add(bit);
                let column = pixel.checked_div(scale).unwrap_or_default();
                if pixel < pixels && !is_dark(column, row) {
                    *byte |= 0x80 >> bit;
                }
            }
        }
        rows.extend(std::iter::repeat_n(line, scale).flatten());
    }
    let width = u32::try_from(pixels).unwrap_or(u32::MAX).to_be_bytes();
    let mut header = [width, width].concat();
    // One bit a pixel, grey, and the only methods of compression, filtering and order.
    header.extend([1, 0, 0, 0, 0]);
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    chunk(&mut png, *b"IHDR", &header);
    chunk(&mut png, *b"IDAT", &stored(&rows));
    chunk(&mut png, *b"IEND", &[]);
    png
}

/// Appends a chunk: length, type, data, checksum of type and data.
fn chunk(png: &mut Vec<u8>, kind: [u8; 4], data: &[u8]) {
    png.extend(u32::try_from(data.len()).unwrap_or(u32::MAX).to_be_bytes());
    let start = png.len();
    png.extend(kind);
    png.extend(data);
    let checksum = crc32(png.get(start..).unwrap_or_default());
    png.extend(checksum.to_be_bytes());
}

/// `data` as a zlib stream of stored blocks.
fn stored(data: &[u8]) -> Vec<u8> {
    // Deflate with a window of 32 kB; the second byte makes the pair a multiple of 31.
    let mut stream = vec![0x78, 0x01];
    let mut blocks = data.chunks(usize::from(u16::MAX)).peekable();
    while let Some(block) = blocks.next() {
        stream.push(u8::from(blocks.peek().is_none()));
        let length = u16::try_from(block.len()).unwrap_or(u16::MAX);
        // These two are in the other byte order than the rest of the file.
        for number in [length, !length] {
            let [high, low] = number.to_be_bytes();
            stream.extend([low, high]);
        }
        stream.extend(block);
    }
    stream.extend(adler32(data).to_be_bytes());
    stream
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |rest, byte| {
        (0..8)
            .fold(rest ^ u32::from(*byte), |rest, _| rest >> 1 ^ if rest & 1 == 1 { 0xedb8_8320 } else { 0 })
    })
}

fn adler32(bytes: &[u8]) -> u32 {
    let (a, b) = bytes.iter().fold((1u32, 0u32), |(a, b), byte| {
        let a = a.wrapping_add(u32::from(*byte)) % 65_521;
        (a, b.wrapping_add(a) % 65_521)
    });
    b << 16 | a
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksums_are_those_of_the_standards() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(adler32(b"Wikipedia"), 0x11e6_0398);
    }
}
