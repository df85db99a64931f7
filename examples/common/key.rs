//! A node key in a file: 64 hexadecimal characters, readable by its owner only.

use std::fs::{self, File};
use std::io::{ErrorKind, Read, Write};
use std::path::Path;

use bolt12::secp256k1::{Keypair, SECP256K1, SecretKey};

use super::{Error, other};

/// Reads the key in `path`.
pub fn read(path: &Path) -> Result<Keypair, Error> {
    let failed = |reason: &dyn std::fmt::Display| other(format!("key file {}: {reason}", path.display()));
    let file = File::open(path).map_err(|error| failed(&error))?;
    warn_if_others_can_read(&file, path);
    let mut text = String::new();
    file.take(MAX_LENGTH).read_to_string(&mut text).map_err(|error| failed(&error))?;
    let text = text.trim_ascii_end();
    if text.len() != 64 {
        let found = text.chars().count();
        return Err(failed(&format_args!("64 hexadecimal characters are needed, {found} are there")));
    }
    // The reason is left out: it could show a part of the key.
    let key: SecretKey = text.parse().map_err(|_| failed(&"not the hexadecimal form of a secret key"))?;
    Ok(Keypair::from_secret_key(SECP256K1, &key))
}

/// Reads the key in `path`, or makes one there. Of two programs that make it at once, one wins and both use its key.
pub fn read_or_make(path: &Path) -> Result<Keypair, Error> {
    match fs::exists(path) {
        Ok(false) => make(path).and_then(|()| read(path)),
        _ => read(path),
    }
}

/// Bytes of a key file that are looked at: a key has 64.
const MAX_LENGTH: u64 = 1024;

#[cfg(unix)]
fn warn_if_others_can_read(file: &File, path: &Path) {
    use std::os::unix::fs::MetadataExt;
    if file.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.mode() & 0o077 != 0) {
        eprintln!("warning: key file {} can be read by others", path.display());
    }
}

#[cfg(not(unix))]
fn warn_if_others_can_read(_: &File, _: &Path) {}

fn make(path: &Path) -> Result<(), Error> {
    let failed =
        |error: &dyn std::fmt::Display| other(format!("cannot make key file {}: {error}", path.display()));
    let key = random_key().map_err(|error| failed(&error))?;
    // Written aside and then put in place whole: no reader ever sees half a key. Only the owner can read it.
    let directory = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(directory).map_err(|error| failed(&error.kind()))?;
    writeln!(file, "{}", key.display_secret()).map_err(|error| failed(&error))?;
    file.as_file().sync_all().map_err(|error| failed(&error))?;
    match file.persist_noclobber(path) {
        Ok(_) => Ok(()),
        Err(error) if error.error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(failed(&error.error)),
    }
}

fn random_key() -> Result<SecretKey, getrandom::Error> {
    loop {
        // All but a vanishing part of 32-byte values are keys.
        if let Ok(key) = SecretKey::from_slice(&random::<32>()?) {
            return Ok(key);
        }
    }
}

/// Bytes from the random generator of the system.
pub fn random<const N: usize>() -> Result<[u8; N], getrandom::Error> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}
