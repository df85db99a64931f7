//! Secrets that Core Lightning derives from its own, and what is made of them.

use bolt12::bitcoin::hashes::{Hash, HashEngine, sha256};
use bolt12::bitcoin::hex::FromHex;
use bolt12::node::Cln;
use serde_json::{Value, json};

/// The secret with this name: the same at every start.
pub fn secret(node: &Cln, name: &str) -> Result<[u8; 32], String> {
    let answer = node.call("makesecret", &json!({ "string": name })).map_err(|error| error.to_string())?;
    let secret = answer.get("secret").and_then(Value::as_str);
    let secret = secret.and_then(|secret| FromHex::from_hex(secret).ok());
    secret.ok_or_else(|| "makesecret: no secret of 32 bytes".to_owned())
}

/// The metadata of a request with these fields. The same fields give the same request, as `offerout` is documented. It is
/// part of the request and no secret, but it cannot be guessed.
pub fn metadata(node: &Cln, fields: &Value) -> Result<[u8; 16], String> {
    let mut engine = sha256::Hash::engine();
    engine.input(&secret(node, "bolt12 payouts: metadata")?);
    engine.input(fields.to_string().as_bytes());
    let hash = sha256::Hash::from_engine(engine).to_byte_array();
    Ok(*hash.first_chunk().unwrap_or(&[0; 16]))
}
