//! QR codes on a terminal.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use bolt12::qr::QrCodes;
use bolt12::uri::PaymentUri;

/// Writes the codes of a message or a link. Black on white for every colour scheme of the terminal, since not every camera reads
/// the inverse. Several codes are numbered, and the text says what to do with them.
pub fn write(output: &mut impl Write, uri: &PaymentUri) -> io::Result<()> {
    let codes = match QrCodes::new(uri) {
        Ok(codes) => codes,
        Err(error) => return writeln!(output, "note: no QR code: {error}"),
    };
    if codes.len() > 1 {
        writeln!(output, "{} QR codes: scan them in this order, and join the texts", codes.len())?;
    }
    for (index, code) in codes.iter().enumerate() {
        if codes.len() > 1 {
            writeln!(output, "{} of {}:", index.saturating_add(1), codes.len())?;
        }
        for line in code.to_string().lines() {
            writeln!(output, "\x1b[97;40m{line}\x1b[0m")?;
        }
    }
    Ok(())
}

/// Writes the codes into files: `path` for one, numbered before the ending for several.
pub fn write_files(path: &Path, uri: &PaymentUri) -> io::Result<()> {
    let invalid = |error: String| io::Error::new(io::ErrorKind::InvalidInput, error);
    let codes = QrCodes::new(uri).map_err(|error| invalid(format!("--qr-file: {error}")))?;
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    for (index, code) in codes.iter().enumerate() {
        let image = match ending {
            "svg" => code.to_svg().into_bytes(),
            "png" => code.to_png(PIXELS),
            _ => {
                return Err(invalid(format!(
                    "{}: expected a path that ends with .svg or .png",
                    path.display()
                )));
            }
        };
        let mut path = path.to_path_buf();
        if codes.len() > 1 {
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            path.set_file_name(format!("{name}-{}.{ending}", index.saturating_add(1)));
        }
        fs::write(&path, image)
            .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))?;
    }
    Ok(())
}

/// Pixels of a module in a PNG file.
const PIXELS: u8 = 8;

/// Writes the codes to standard error, for a text that this program made.
pub fn show(text: &str) {
    if let Ok(uri) = PaymentUri::parse(text) {
        // Nothing is left to report to when standard error is closed.
        let _ = write(&mut io::stderr(), &uri);
    }
}
