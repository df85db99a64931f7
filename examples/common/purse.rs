//! The payee's purse: a key, and the secrets that take the payments of its invoices.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use bolt12::bitcoin::hex::{DisplayHex, FromHex};
use bolt12::payout::{PaymentHash, Preimage};
use bolt12::secp256k1::Keypair;

use super::{Error, key, make_directory, other};

/// What a payee's node keeps.
pub struct Purse {
    /// Signs its invoices.
    pub key: Keypair,
    /// The preimages, a line each.
    preimages: PathBuf,
}

impl Purse {
    /// The purse in a directory, made on first use.
    pub fn open(directory: &Path) -> Result<Self, Error> {
        make_directory(directory)?;
        let key = key::read_or_make(&directory.join("payee-key"))?;
        Ok(Self { key, preimages: directory.join("preimages") })
    }

    /// The payment_hash of a new invoice. Its preimage is kept before the hash is shown.
    pub fn new_payment(&self) -> Result<PaymentHash, Error> {
        let mut preimage = [0; 32];
        getrandom::fill(&mut preimage).map_err(other)?;
        let mut options = OpenOptions::new();
        options.append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&self.preimages).map_err(other)?;
        // In one write, so that lines of two writers do not mix.
        file.write_all(format!("{}\n", preimage.as_hex()).as_bytes()).map_err(other)?;
        file.sync_all().map_err(other)?;
        Ok(Preimage::from_byte_array(preimage).payment_hash())
    }

    /// The preimage that takes the payment under `hash`, if it was made here.
    pub fn preimage(&self, hash: PaymentHash) -> Result<Option<Preimage>, Error> {
        let text = match fs::read_to_string(&self.preimages) {
            Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
            text => text.map_err(other)?,
        };
        let preimages =
            text.lines().filter_map(|line| <[u8; 32]>::from_hex(line).ok()).map(Preimage::from_byte_array);
        Ok(preimages.into_iter().find(|preimage| preimage.payment_hash() == hash))
    }
}
