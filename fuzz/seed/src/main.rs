//! Fills `fuzz/corpus` from `tests/vectors`: run once before fuzzing. Corpora are not committed; the vectors are.
//!
//!     cargo run --manifest-path fuzz/Cargo.toml -p bolt12-fuzz-seed

use std::error::Error;
use std::path::{Path, PathBuf};
use std::{fs, io};

use hex_conservative::FromHex;
use serde_json::Value;

fn main() -> Result<(), Box<dyn Error>> {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).parent().ok_or("no folder above this one")?;
    let vectors = fuzz.join("../tests/vectors");
    let mut seeds = Seeds { corpus: fuzz.join("corpus"), written: 0 };

    for value in strings(&vectors.join("draft/amounts.json"), &["text"])? {
        seeds.write(&["amount"], value.as_bytes())?;
    }
    for name in ["draft/offerout.json", "draft/decode.json", "bolt12/format_strings.json"] {
        for value in
            strings(&vectors.join(name), &["string", "bolt12", "bolt12_unsigned", "bolt12_aux_zero"])?
        {
            seeds.write(&["text", "draft_offer"], value.as_bytes())?;
        }
    }
    for name in ["draft/offerout.json", "draft/merkle.json", "bolt12/merkle.json", "bolt12/signatures.json"] {
        for value in strings(&vectors.join(name), &["tlv", "tlv_hex", "tlv_signed", "tlv_unsigned"])? {
            seeds.write(&["tlv", "merkle", "draft_offer"], &Vec::from_hex(&value)?)?;
        }
    }
    for name in ["bolt12/offers.json", "bolt12/interop_messages.json", "bolt12/ldk_behaviour.json"] {
        let path = vectors.join(name);
        for value in strings(&path, &["string"])? {
            seeds.write(&["message"], value.as_bytes())?;
        }
        for value in strings(&path, &["tlv_hex"])? {
            seeds.write(&["message", "device"], &Vec::from_hex(&value)?)?;
        }
    }
    for value in strings(&vectors.join("bolt12/cln_live.json"), &["string", "bolt12", "invoice", "invreq"])? {
        seeds.write(&["message"], value.as_bytes())?;
    }
    for value in strings(&vectors.join("bolt12/cln_live.json"), &["invoice_error_as_written"])? {
        seeds.write(&["message"], &Vec::from_hex(&value)?)?;
    }
    for value in strings(&vectors.join("bolt12/payer_proofs.json"), &["proof"])? {
        seeds.write(&["proof", "message"], value.as_bytes())?;
    }
    for value in strings(&vectors.join("bolt12/payer_proofs.json"), &["proof_hex", "invoice_hex"])? {
        // The first eight bytes choose fields.
        seeds.write(&["proof"], &[&[0x55; 8][..], &Vec::from_hex(&value)?].concat())?;
    }
    for value in strings(&vectors.join("bip321/uris.json"), &["uri"])? {
        seeds.write(&["uri"], value.as_bytes())?;
    }
    for value in strings(&vectors.join("bip321/pastes.json"), &["text"])? {
        seeds.write(&["uri"], value.as_bytes())?;
    }
    for value in strings(&vectors.join("bip353/records.json"), &["text", "uri"])? {
        seeds.write(&["uri"], value.as_bytes())?;
    }
    for value in strings(&vectors.join("bip353/records.json"), &["psbt_value_hex"])? {
        seeds.write(&["device"], &Vec::from_hex(&value)?)?;
    }
    for name in ["text", "offer", "invoice_request", "invoice"] {
        for input in inputs(&fs::read(vectors.join(format!("robustness/{name}.bin")))?) {
            seeds.write(&["text", "draft_offer", "message", "device"], input)?;
        }
    }
    println!("{} seeds in {}", seeds.written, seeds.corpus.display());
    Ok(())
}

struct Seeds {
    corpus: PathBuf,
    written: usize,
}

impl Seeds {
    /// Writes `bytes` into the corpus of each of `targets`, under a running number.
    fn write(&mut self, targets: &[&str], bytes: &[u8]) -> io::Result<()> {
        self.written += 1;
        for target in targets {
            let folder = self.corpus.join(target);
            fs::create_dir_all(&folder)?;
            fs::write(folder.join(format!("vector-{}", self.written)), bytes)?;
        }
        Ok(())
    }
}

/// All texts that the JSON file `path` holds under one of `members`, at any depth.
fn strings(path: &Path, members: &[&str]) -> Result<Vec<String>, Box<dyn Error>> {
    fn gather(value: &Value, members: &[&str], found: &mut Vec<String>) {
        match value {
            Value::Object(object) => {
                for (name, value) in object {
                    match value {
                        Value::String(text) if members.contains(&name.as_str()) => found.push(text.clone()),
                        value => gather(value, members, found),
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| gather(item, members, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    gather(&serde_json::from_str(&fs::read_to_string(path)?)?, members, &mut found);
    Ok(found)
}

/// The inputs of a robustness file, each after its length in two bytes.
fn inputs(mut bytes: &[u8]) -> Vec<&[u8]> {
    let mut inputs = Vec::new();
    while let Some((length, rest)) = bytes.split_first_chunk() {
        let (input, rest) = rest.split_at(usize::from(u16::from_be_bytes(*length)));
        inputs.push(input);
        bytes = rest;
    }
    inputs
}
