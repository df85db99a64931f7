//! QR codes are read back by a reader of another project, from each of their pictures.

use bolt12::qr::{QrCode, QrCodes, QrError};
use bolt12::uri::PaymentUri;
use bolt12::{AnyMessage, Offer};
use testkit::records::point;

const OFFER: &str = "lno1zcss9mk8y3wkklfvevcrszlmu23kfrxh49px20665dqwmn4p72pksese";

/// What a reader finds in a picture of so many pixels on each side.
fn scan(side: usize, is_dark: impl Fn(usize, usize) -> bool) -> String {
    let grey = |x, y| if is_dark(x, y) { 0 } else { 255 };
    let mut image = rqrr::PreparedImage::prepare_from_greyscale(side, side, grey);
    let grids = image.detect_grids();
    assert_eq!(grids.len(), 1);
    grids[0].decode().unwrap().1
}

/// The text in the modules.
fn from_modules(code: &QrCode) -> String {
    let side = (code.width() + 8) * 4;
    scan(side, |x, y| code.is_dark((x / 4).wrapping_sub(4), (y / 4).wrapping_sub(4)))
}

fn from_png(code: &QrCode, scale: u8) -> String {
    let image = code.to_png(scale);
    let mut decoder = png::Decoder::new(std::io::Cursor::new(image));
    decoder.set_transformations(png::Transformations::EXPAND);
    let mut reader = decoder.read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut pixels).unwrap();
    assert_eq!(info.width, info.height);
    let side = usize::try_from(info.width).unwrap();
    assert_eq!(side, (code.width() + 8) * usize::from(scale.clamp(1, 64)));
    scan(side, |x, y| pixels[y * side + x] == 0)
}

fn from_svg(code: &QrCode) -> String {
    let svg = code.to_svg();
    let side = code.width() + 8;
    assert!(svg.contains(&format!("viewBox=\"0 0 {side} {side}\"")));
    let mut dark = vec![false; side * side];
    let path = svg.rsplit_once("d=\"").unwrap().1;
    for run in path.split('M').skip(1) {
        let (x, rest) = run.split_once(' ').unwrap();
        let (y, rest) = rest.split_once('h').unwrap();
        let (length, _) = rest.split_once('v').unwrap();
        let (x, y, length): (usize, usize, usize) =
            (x.parse().unwrap(), y.parse().unwrap(), length.parse().unwrap());
        dark[y * side + x..][..length].fill(true);
    }
    scan(side * 4, |x, y| dark[y / 4 * side + x / 4])
}

fn from_terminal(code: &QrCode) -> String {
    let lines: Vec<Vec<char>> = code.to_string().lines().map(|line| line.chars().collect()).collect();
    let side = code.width() + 4;
    assert!(lines.iter().all(|line| line.len() == side));
    let light = |x: usize, y: usize| match lines.get(y / 2).and_then(|line| line.get(x)) {
        Some('█') | None => true,
        Some('▀') => y.is_multiple_of(2),
        Some('▄') => y % 2 == 1,
        _ => false,
    };
    // The screen around it is light as well.
    let around = |place: usize| (place / 4).checked_sub(2).unwrap_or(usize::MAX);
    scan((side + 4) * 4, |x, y| !light(around(x), around(y)))
}

fn codes(text: &str) -> QrCodes {
    QrCodes::new(&PaymentUri::parse(text).unwrap()).unwrap()
}

#[test]
fn a_code_is_read_back_from_every_picture() {
    for text in
        [OFFER, "bitcoin:?label=Caf%C3%A9&lno=lno1zcss9mk8y3wkklfvevcrszlmu23kfrxh49px20665dqwmn4p72pksese"]
    {
        let codes = codes(text);
        assert_eq!(codes.len(), 1);
        let code = codes.iter().next().unwrap();
        let uri = PaymentUri::parse(text).unwrap();
        assert_eq!(code.text(), format!("{uri:#}"));
        for found in
            [from_modules(code), from_png(code, 3), from_png(code, 0), from_svg(code), from_terminal(code)]
        {
            assert_eq!(found, code.text());
            assert_eq!(PaymentUri::parse(&found).unwrap(), uri);
        }
    }
}

/// An offer whose text has about so many characters.
fn long_offer(characters: usize) -> Offer {
    let description = "d".repeat(characters * 5 / 8 - 45);
    Offer::builder().description(&description).issuer_id(point(7)).build().unwrap()
}

#[test]
fn a_message_that_is_too_long_is_split_and_joined_again() {
    for (characters, version, count) in
        [(1800, 25, 1), (2000, 25, 2), (8000, 25, 5), (4200, 40, 1), (300, 5, 2)]
    {
        let offer = long_offer(characters);
        for uri in [
            PaymentUri::from(AnyMessage::Offer(offer.clone())),
            PaymentUri::builder().offer(&offer).build().unwrap(),
        ] {
            let codes = QrCodes::with_version(&uri, version).unwrap();
            assert_eq!(codes.len(), count, "{characters} characters");
            let joined: String = codes.iter().map(from_modules).collect();
            assert_eq!(PaymentUri::parse(&joined).unwrap().offers().next(), Some(&offer));
            assert_eq!(joined.matches('+').count(), count - 1);
            // With the line breaks of a reader that puts each into a line of its own.
            let lines: Vec<_> = codes.iter().map(|code| code.text()).collect();
            assert_eq!(PaymentUri::parse(&lines.join("\n")).unwrap().offers().next(), Some(&offer));
            assert!(codes.iter().all(|code| code.width() <= 17 + 4 * usize::from(version)));
        }
    }
}

#[test]
fn what_cannot_be_split_is_refused() {
    let offer = long_offer(2000);
    let link = PaymentUri::builder().offer(&offer).label("x").build().unwrap();
    let error = QrCodes::new(&link).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "{} characters do not fit into a QR code of version 25: expected a shorter text, or a message alone",
            link.to_string().len()
        )
    );
    let error = QrCodes::with_version(&link, 41).unwrap_err();
    assert_eq!(error, QrError::Version { version: 41 });
    assert_eq!(error.to_string(), "version 41: expected 1 to 40");
    let huge = PaymentUri::from(AnyMessage::Offer(long_offer(100_000)));
    assert_eq!(QrCodes::new(&huge).unwrap_err().to_string(), "54 QR codes: expected at most 32");
}
