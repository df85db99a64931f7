//! [`QrCode`]: one code, and its pictures.

use std::fmt::{self, Write};

use qrcode::{Color, EcLevel, Version};

use super::png;
use crate::count::count;

/// One QR code with its text.
///
/// Displays as lines for a terminal with a font of fixed width: each character is two modules, one
/// above the other, `█` where both are light. So it is dark on light on a terminal with a dark
/// background; on one with a light background, set the colours as the example `offerout` does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QrCode {
    text: String,
    width: usize,
    /// Row by row; `true` is dark.
    modules: Vec<bool>,
}

impl QrCode {
    /// The code of `text`, as small as possible up to `version` (1 to 40), which survives damage of
    /// about 7 % of it.
    pub(super) fn new(text: &str, version: u8) -> Result<Self, QrError> {
        let too_long = || QrError::TooLong { characters: text.chars().count(), version };
        let code = qrcode::QrCode::with_error_correction_level(text, EcLevel::L).map_err(|_| too_long())?;
        match code.version() {
            Version::Normal(found) if found <= i16::from(version) => {}
            _ => return Err(too_long()),
        }
        let modules = code.to_colors().into_iter().map(|color| color == Color::Dark).collect();
        Ok(Self { text: text.to_owned(), width: code.width(), modules })
    }

    /// The text that a reader of the code gets.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The number of modules on each side, without the light border.
    pub const fn width(&self) -> usize {
        self.width
    }

    /// Whether a module is dark. Columns and rows count from 0 at the upper left; all others are the
    /// light border.
    pub fn is_dark(&self, column: usize, row: usize) -> bool {
        if column >= self.width || row >= self.width {
            return false;
        }
        let index = row.saturating_mul(self.width).saturating_add(column);
        self.modules.get(index).copied().unwrap_or_default()
    }

    /// The code as an SVG image, black on white with its border, without a size: the page that shows
    /// it sets one.
    pub fn to_svg(&self) -> String {
        let side = self.side();
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {side} {side}\" shape-rendering=\"crispEdges\">\
             <path fill=\"#fff\" d=\"M0 0h{side}v{side}h-{side}z\"/><path d=\""
        );
        for row in 0..self.width {
            let mut column = 0;
            while column < self.width {
                let dark = (column..self.width).take_while(|column| self.is_dark(*column, row)).count();
                if dark > 0 {
                    let (x, y) = (column.saturating_add(BORDER), row.saturating_add(BORDER));
                    // Writing into a text cannot fail.
                    let _ = write!(svg, "M{x} {y}h{dark}v1h-{dark}z");
                }
                column = column.saturating_add(dark.max(1));
            }
        }
        svg.push_str("\"/></svg>\n");
        svg
    }

    /// The code as a PNG image, black on white with its border. Each module has `scale` pixels on
    /// each side, from 1 to 64; other numbers are brought into these limits.
    pub fn to_png(&self, scale: u8) -> Vec<u8> {
        let scale = usize::from(scale.clamp(1, 64));
        png::image(self.side(), scale, |x, y| {
            let inside = |place: usize| place.checked_sub(BORDER).unwrap_or(usize::MAX);
            self.is_dark(inside(x), inside(y))
        })
    }

    /// Modules on each side with the border.
    const fn side(&self) -> usize {
        self.width.saturating_add(BORDER).saturating_add(BORDER)
    }
}

impl fmt::Display for QrCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let light = |x: usize, y: usize| {
            let inside = |place: usize| place.checked_sub(TERMINAL_BORDER).unwrap_or(usize::MAX);
            !self.is_dark(inside(x), inside(y))
        };
        let side = self.width.saturating_add(TERMINAL_BORDER).saturating_add(TERMINAL_BORDER);
        for row in (0..side).step_by(2) {
            if row > 0 {
                f.write_char('\n')?;
            }
            for column in 0..side {
                f.write_char(match (light(column, row), light(column, row.saturating_add(1))) {
                    (true, true) => '█',
                    (true, false) => '▀',
                    (false, true) => '▄',
                    (false, false) => ' ',
                })?;
            }
        }
        Ok(())
    }
}

/// Why a text has no QR code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum QrError {
    /// A link that is too long. A link cannot be split; a message alone can.
    #[error("{} do not fit into a QR code of version {version}: expected a shorter text, or a message alone", count(*characters, "character", "characters"))]
    TooLong {
        /// Characters of the text.
        characters: usize,
        /// The largest version that was allowed.
        version: u8,
    },
    /// More codes than people would scan.
    #[error("{codes} QR codes: expected at most {max}", max = super::QrCodes::MAX)]
    TooMany {
        /// Codes that the text would take.
        codes: usize,
    },
    /// A version that does not exist.
    #[error("version {version}: expected 1 to 40")]
    Version {
        /// The version.
        version: u8,
    },
}

/// Light modules on each side, as the standard has them.
const BORDER: usize = 4;

/// Light modules on each side on a terminal, where space is scarce and all around it is of one colour.
const TERMINAL_BORDER: usize = 2;

#[cfg(test)]
mod tests {
    use super::*;

    /// The table in the documentation of the module.
    #[test]
    fn upper_case_takes_fewer_modules() {
        for (characters, lower, upper) in [(62, 33, 29), (500, 77, 65), (1_500, 129, 109)] {
            let text: String =
                "lno1".chars().chain("qpzry9x8gf2tvdw0".chars().cycle()).take(characters).collect();
            let width = |text: &str| QrCode::new(text, 40).unwrap().width();
            assert_eq!((width(&text), width(&text.to_uppercase())), (lower, upper), "{characters}");
        }
    }
}
