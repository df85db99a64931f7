//! An `invoice_error` to the payee, over the reply path of its invoice.

use bolt12::InvoiceError;
use bolt12::bitcoin::hex::{DisplayHex, FromHex};
use bolt12::blinding::{HopData, blind};
use bolt12::node::Cln;
use bolt12::secp256k1::{PublicKey, SecretKey};
use bolt12::tlv::Writer;
use serde_json::{Value, json};

use crate::wire::Failure;

/// The types of an onion message's payload.
const ENCRYPTED_RECIPIENT_DATA: u64 = 4;
const INVOICE_ERROR: u64 = 68;

/// Sends the error over a `reply_blindedpath` of a hook. `own` is the id of this node, and `session` is new and random.
pub fn send(
    node: &Cln,
    own: PublicKey,
    reply: &Value,
    error: &InvoiceError,
    session: &SecretKey,
) -> Result<(), Failure> {
    let path = Path::read(reply)?;
    let (path_key, hops) = path.begin_at(node, own, session)?;
    let last = hops.len().saturating_sub(1);
    let hops: Vec<Value> = hops
        .iter()
        .enumerate()
        .map(|(place, (id, data))| {
            let mut payload = Writer::new();
            payload.record(ENCRYPTED_RECIPIENT_DATA, data);
            if place == last {
                payload.record(INVOICE_ERROR, error.as_bytes());
            }
            let payload = with_length(&payload.into_bytes());
            json!({ "pubkey": id.to_string(), "payload": payload.as_hex().to_string() })
        })
        .collect();
    let onion = node.call("createonion", &json!({ "hops": hops, "assocdata": "" }))?;
    let onion = onion.get("onion").ok_or_else(|| Failure::other("createonion: no onion"))?;
    node.call("injectonionmessage", &json!({ "path_key": path_key.to_string(), "message": onion }))?;
    Ok(())
}

/// A hop: its blinded id, and the data that only it can read.
type Hop = (PublicKey, Vec<u8>);

/// The path over which the payee is reached.
struct Path {
    first: PublicKey,
    key: PublicKey,
    hops: Vec<Hop>,
}

impl Path {
    fn read(reply: &Value) -> Result<Self, Failure> {
        let missing = |what: &str| Failure::other(format!("reply path: no {what}"));
        let point = |value: &Value, name: &str| {
            value.get(name).and_then(Value::as_str).and_then(|text| text.parse().ok())
        };
        let first = point(reply, "first_node_id").ok_or_else(|| missing("first_node_id"))?;
        let key = point(reply, "first_path_key").ok_or_else(|| missing("first_path_key"))?;
        let hops = reply.get("hops").and_then(Value::as_array).ok_or_else(|| missing("hops"))?;
        let read = |hop: &Value| {
            let data = hop.get("encrypted_recipient_data")?.as_str()?;
            Some((point(hop, "blinded_node_id")?, Vec::from_hex(data).ok()?))
        };
        let hops: Vec<Hop> = hops.iter().map(read).collect::<Option<_>>().ok_or_else(|| missing("hop"))?;
        if hops.is_empty() {
            return Err(missing("hop"));
        }
        Ok(Self { first, key, hops })
    }

    /// The path key and the hops, beginning at this node.
    fn begin_at(
        self,
        node: &Cln,
        own: PublicKey,
        session: &SecretKey,
    ) -> Result<(PublicKey, Vec<Hop>), Failure> {
        if self.first == own {
            return Ok((self.key, self.hops));
        }
        // The node sends a message to its peers only. If this fails, they may be connected already.
        let _ = node.call("connect", &json!({ "id": self.first.to_string() }));
        let to_first = HopData {
            next_node_id: Some(self.first),
            next_path_key_override: Some(self.key),
            ..HopData::default()
        };
        let mut path = blind(session, &[(own, &to_first.to_bytes())]).map_err(Failure::other)?;
        path.hops.extend(self.hops);
        Ok((path.path_key, path.hops))
    }
}

/// A payload with its length before it, as an onion has it.
fn with_length(payload: &[u8]) -> Vec<u8> {
    let mut writer = Vec::with_capacity(payload.len().saturating_add(3));
    match (u8::try_from(payload.len()), u16::try_from(payload.len())) {
        (Ok(length), _) if length < 0xfd => writer.push(length),
        (_, Ok(length)) => {
            writer.push(0xfd);
            writer.extend(length.to_be_bytes());
        }
        // An onion has 1300 bytes, and the node refuses this one.
        _ => writer.push(0xfd),
    }
    writer.extend(payload);
    writer
}
