//! QR codes on a terminal.

use qrcode::QrCode;
use qrcode::render::unicode::Dense1x2;

/// Upper case needs fewer dots: QR codes have a mode for it. Black on white for every colour scheme of the terminal, since
/// not every camera reads the inverse.
pub fn show(offer: &str) {
    match QrCode::new(offer.to_ascii_uppercase()) {
        Ok(code) => {
            for line in code.render::<Dense1x2>().build().lines() {
                eprintln!("\x1b[30;107m{line}\x1b[0m");
            }
        }
        Err(_) => eprintln!("note: the offer is too long for a QR code"),
    }
}
