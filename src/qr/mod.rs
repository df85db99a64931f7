//! QR codes of messages and links: on a terminal, as SVG, as PNG.
//!
//! Texts are written in upper case where that means the same
//! ([R-U-10](crate::requirements#r-u-10)). QR codes have a mode for upper case, digits and a few
//! signs, `+` and `:` among them, which takes 5.5 bits for a character instead of 8:
//!
//! | message | in lower case | in upper case |
//! |---|---|---|
//! | an offer of 62 characters | 33 × 33 modules | 29 × 29 |
//! | an offer of 500 characters | 77 × 77 | 65 × 65 |
//! | an invoice of 1 500 characters | 129 × 129 | 109 × 109 |
//!
//! A message that is too long for one code is split into several with `+`, as BOLT 12 has it
//! ([R-E-2](crate::requirements#r-e-2)). A reader scans them in their order and joins the texts.
//!
//! ```
//! use bolt12::qr::QrCodes;
//! use bolt12::uri::PaymentUri;
//! let uri = PaymentUri::parse("lno1zcss9mk8y3wkklfvevcrszlmu23kfrxh49px20665dqwmn4p72pksese")?;
//! let codes = QrCodes::new(&uri)?;
//! assert_eq!(codes.len(), 1);
//! let code = codes.iter().next().unwrap();
//! assert_eq!(code.text(), "LNO1ZCSS9MK8Y3WKKLFVEVCRSZLMU23KFRXH49PX20665DQWMN4P72PKSESE");
//! assert!(code.to_svg().starts_with("<svg "));
//! println!("{code}"); // on a terminal
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod code;
mod png;
mod split;

pub use code::{QrCode, QrError};
pub use split::QrCodes;
