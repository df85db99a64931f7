//! A stand-in for a Core Lightning node with a key: it signs requests, pays invoices and keeps what it was asked.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use bitcoin::hashes::{Hash, sha256};
use bolt12::payout::{PaymentHash, Preimage};
use bolt12::sign::Signer;
use bolt12::{Invoice, InvoiceRequest, UnsignedInvoiceRequest};
use secp256k1::{Keypair, SECP256K1, SecretKey};
use serde_json::{Value, json};
use testkit::cln::{Answer, FakeCln};
use testkit::ledger::{hash, path_and_costs, payee, preimage};

/// The key of the recorded node 1, whose hooks these are.
pub(crate) fn node_key() -> Keypair {
    Keypair::from_secret_key(SECP256K1, &SecretKey::from_slice(&[1; 32]).unwrap())
}

pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// What the node has done.
#[derive(Default)]
pub(crate) struct World {
    /// Payments, and how often each was made.
    pub(crate) paid: BTreeMap<PaymentHash, usize>,
    /// The bodies of `createonion`.
    pub(crate) onions: Vec<Value>,
    /// The path keys under which onions were injected.
    pub(crate) injected: Vec<String>,
    /// The requests that the node holds.
    pub(crate) held: Vec<(String, String)>,
    /// The parameters of each `xpay`.
    pub(crate) xpays: Vec<Value>,
    /// Whether `xpay` pays and then never answers.
    pub(crate) stalls: bool,
    /// Whether `xpay` fails.
    pub(crate) fails: bool,
}

/// A node that knows what the plugin calls.
pub(crate) fn node(world: &Arc<Mutex<World>>) -> FakeCln {
    let world = Arc::clone(world);
    let preimages: BTreeMap<PaymentHash, Preimage> =
        (0..500).map(|number| (hash(number), preimage(number))).collect();
    FakeCln::start(move |method, params| {
        let mut world = world.lock().unwrap();
        let text = |name: &str| params[name].as_str().unwrap().to_owned();
        match method {
            "getinfo" => Answer::Result(json!({
                "id": node_key().public_key().to_string(), "network": "regtest", "version": "v26.06.6",
            })),
            "autoclean-status" => Answer::Error(-32601, "Unknown command 'autoclean-status'".to_owned()),
            "makesecret" => {
                let secret = sha256::Hash::hash(text("string").as_bytes());
                Answer::Result(json!({ "secret": secret.to_string() }))
            }
            "createinvoicerequest" => {
                let unsigned: UnsignedInvoiceRequest = text("bolt12").parse().unwrap();
                let id = unsigned.invreq_id().to_string();
                let signature = node_key().sign(&unsigned.sighash()).unwrap();
                let signed = unsigned.attach(&signature).unwrap().to_string();
                if params["savetodb"] == true {
                    world.held.push((id.clone(), signed.clone()));
                }
                Answer::Result(json!({ "invreq_id": id, "bolt12": signed }))
            }
            "listinvoicerequests" => {
                let of_id = world.held.iter().filter(|(id, _)| params["invreq_id"] == **id);
                let listed = of_id.map(|(id, bolt12)| json!({ "invreq_id": id, "bolt12": bolt12 }));
                Answer::Result(json!({ "invoicerequests": listed.collect::<Vec<_>>() }))
            }
            "listpays" => {
                let hash: PaymentHash = text("payment_hash").parse().unwrap();
                let rows: Vec<Value> = world
                    .paid
                    .get(&hash)
                    .map(|_| {
                        json!({
                            "payment_hash": hash.to_string(), "status": "complete",
                            "preimage": format!("{:x}", preimages[&hash]),
                        })
                    })
                    .into_iter()
                    .collect();
                Answer::Result(json!({ "pays": rows }))
            }
            "xpay" => {
                world.xpays.push(params.clone());
                if world.fails {
                    return Answer::Error(205, "no route".to_owned());
                }
                let invoice: Invoice = text("invstring").parse().unwrap();
                let hash = invoice.invoice_payment_hash();
                *world.paid.entry(hash).or_default() += 1;
                if world.stalls {
                    return Answer::Silence;
                }
                Answer::Result(json!({ "payment_preimage": format!("{:x}", preimages[&hash]) }))
            }
            "connect" => Answer::Error(402, "no address".to_owned()),
            "createonion" => {
                world.onions.push(params.clone());
                Answer::Result(json!({ "onion": "00", "shared_secrets": [] }))
            }
            "injectonionmessage" => {
                world.injected.push(text("path_key"));
                Answer::Result(json!({}))
            }
            _ => panic!("{method}"),
        }
    })
}

/// The payee's invoice number `number` for a request.
pub(crate) fn invoice(request: &str, number: u64) -> Invoice {
    let request: InvoiceRequest = request.parse().unwrap();
    let (path, costs) = path_and_costs();
    request.respond(hash(number), now()).path(path.path(), costs).sign(&payee()).unwrap()
}
