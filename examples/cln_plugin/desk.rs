//! The payouts: how they are made, shown, disabled and recovered.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use bolt12::bitcoin::constants::ChainHash;
use bolt12::bitcoin::hashes::{Hash, HashEngine, sha256};
use bolt12::bitcoin::hex::DisplayHex;
use bolt12::blinding::{HopData, blind};
use bolt12::node::Cln;
use bolt12::node::cln::SecondLock;
use bolt12::payout::store::{Filter, Order, PageSize};
use bolt12::payout::{Ledger, PaymentResult, PayoutId, RecoverOptions, RedbStore};
use bolt12::secp256k1::{Keypair, PublicKey, SECP256K1, SecretKey};
use bolt12::{
    Amount, InvoiceRequest, InvoiceRequestParams, OfferOutParams, PayerKeys, disableinvoicerequest,
    disableoffer, draft, offerout, registerinvoicerequest,
};
use serde_json::{Value, json};

use crate::manifest::Start;
use crate::params::Params;
use crate::secret;
use crate::wire::{Failure, log};

/// The ledger and the node that pays.
pub struct Desk {
    pub ledger: Ledger<RedbStore>,
    pub node: Arc<Cln>,
    /// The id of the node.
    pub id: PublicKey,
    chain: ChainHash,
    node_lock: bool,
    /// The `path_id` of the last hop of our paths, which the node shows with each message that came over one. Requests
    /// of an earlier run may have paths when this run makes none.
    path_id: [u8; 32],
    path: Option<PathBack>,
}

/// How payees reach a node that is not public: through a peer, under keys that are not the node's.
struct PathBack {
    through: PublicKey,
    keys: PayerKeys,
    session: [u8; 32],
}

impl Desk {
    /// Opens the ledger, after the node was asked whether it can be relied on.
    pub fn open(start: &Start) -> Result<Self, Failure> {
        let mut node = Cln::new(&start.socket);
        if let Some(fee) = start.max_fee {
            node = node.max_fee(fee);
        }
        if start.is_startup {
            node = node.quiet_since(0);
        }
        if start.node_lock {
            node = node.second_lock(SecondLock::IfRegistered);
        }
        let info = node.ready(RecoverOptions::BEGIN_WITHIN)?;
        let chain = info.chain.ok_or_else(|| Failure::other("the chain of the node is not known"))?;
        let opened = RedbStore::open_or_create(&start.ledger).map_err(Failure::other)?;
        if opened.is_new {
            log("unusual", &format!("new ledger: {} (it knows no payment)", start.ledger.display()));
        }
        let ledger = Ledger::new(opened.store);
        let path = start.path_through.map(|through| PathBack::open(&node, through)).transpose()?;
        let path_id = secret::secret(&node, "bolt12 payouts: path_id").map_err(Failure::other)?;
        let (node, node_lock) = (Arc::new(node), start.node_lock);
        Ok(Self { ledger, node, id: info.id, chain, node_lock, path_id, path })
    }

    /// Whether an invoice for this request may come with this `pathsecret`. A request with paths is answered over them
    /// only: an invoice that came another way would show that the node belongs to the request.
    pub fn came_right(&self, request: &InvoiceRequest, pathsecret: Option<&str>) -> bool {
        let own = self.path_id.as_hex().to_string();
        request.invreq_paths().count() == 0 || pathsecret == Some(&own)
    }

    /// Calls one of the methods.
    pub fn call(&self, method: &str, given: &Value) -> Result<Value, Failure> {
        match method {
            "offerout" => self.offerout(given),
            "payouts" => self.payouts(given),
            "payout-disable" => self.disable(given),
            "payout-recover" => {
                Params::read(given, &[])?;
                self.recover()
            }
            _ => Err(Failure { code: -32601, message: format!("unknown method {method}") }),
        }
    }

    fn offerout(&self, given: &Value) -> Result<Value, Failure> {
        let names =
            ["amount", "description", "issuer", "label", "absolute_expiry", "refund_for", "key", "dialect"];
        let params = Params::read(given, &names)?;
        let amount = params.required("amount")?.parse().map_err(bolt12::CommandError::from)?;
        let asked = Asked {
            amount,
            description: params.required("description")?,
            issuer: params.text("issuer")?,
            label: params.text("label")?,
            absolute_expiry: params.number("absolute_expiry")?,
            refund_for: params.text("refund_for")?,
            key: params.text("key")?,
        };
        match params.text("dialect")?.as_deref() {
            None | Some("merged") => self.request(&asked),
            Some("draft") => self.draft_offer(&asked),
            Some(other) => Err(Failure::params(format!("dialect: {other}, expected merged or draft"))),
        }
    }

    /// An invoice_request of merged BOLT 12 under the id of the node.
    fn request(&self, asked: &Asked) -> Result<Value, Failure> {
        let Amount::Msat(amount) = asked.amount else {
            return Err(Failure::params(
                "amount: any, expected an amount: a request of merged BOLT 12 has one",
            ));
        };
        if asked.refund_for.is_some() {
            return Err(Failure::params("refund_for: only in dialect=draft"));
        }
        let metadata = self.metadata(asked)?;
        let params = InvoiceRequestParams {
            issuer: asked.issuer.as_deref(),
            label: asked.label.as_deref(),
            absolute_expiry: asked.absolute_expiry,
            key: asked.key.as_deref(),
            chain: self.chain,
            ..InvoiceRequestParams::new(amount, &asked.description, &metadata)
        };
        let signed = match &self.path {
            Some(path) => path.request(&params, self.id, &self.path_id)?,
            None => {
                let unsigned = params.build_unsigned(self.id).map_err(Failure::other)?;
                self.node.sign_request(&unsigned)?
            }
        };
        let made = registerinvoicerequest(&self.ledger, &signed, &params.registration(), now())?;
        if self.node_lock {
            // Only now: what the node holds, it pays by itself. Of a request that existed, another text may have been made.
            let kept = made.bolt12.parse().map_err(Failure::other)?;
            self.node.register_request(&kept)?;
        }
        to_json(&made)
    }

    /// The same parameters give the same request, as `offerout` is documented.
    fn metadata(&self, asked: &Asked) -> Result<[u8; 16], Failure> {
        let Asked { amount, description, issuer, absolute_expiry, key, .. } = asked;
        let fields = json!([amount.to_string(), description, issuer, absolute_expiry, key]);
        secret::metadata(&self.node, &fields).map_err(Failure::other)
    }

    /// An offer of the 2021 draft, under a key of the plugin: the node signs none.
    fn draft_offer(&self, asked: &Asked) -> Result<Value, Failure> {
        let refund_for = match &asked.refund_for {
            Some(text) => {
                let invoice = text.parse::<draft::Invoice>();
                Some(invoice.map_err(|error| Failure::params(format!("refund_for: {error}")))?)
            }
            None => None,
        };
        let secret = secret::secret(&self.node, "bolt12 payouts: draft").map_err(Failure::other)?;
        let key = SecretKey::from_slice(&secret).map_err(Failure::other)?;
        let params = OfferOutParams {
            issuer: asked.issuer.as_deref(),
            label: asked.label.as_deref(),
            absolute_expiry: asked.absolute_expiry,
            key: asked.key.as_deref(),
            refund_for: refund_for.as_ref(),
            chain: self.chain,
            ..OfferOutParams::new(asked.amount, &asked.description)
        };
        let made = offerout(&self.ledger, &Keypair::from_secret_key(SECP256K1, &key), &params, now())?;
        to_json(&made)
    }

    fn payouts(&self, given: &Value) -> Result<Value, Failure> {
        let params = Params::read(given, &["id"])?;
        if let Some(id) = params.text("id")? {
            let payout = self.ledger.get(read_id(&id)?)?;
            let payout = payout.ok_or_else(|| Failure::other(format!("unknown payout {id}")))?;
            return Ok(json!({ "payouts": [to_json(&payout)?], "unreadable": [] }));
        }
        let (mut payouts, mut unreadable, mut after) = (Vec::new(), Vec::new(), None);
        loop {
            let page = self.ledger.page(Filter::All, Order::OldestFirst, after.as_ref(), PageSize::MAX)?;
            for payout in page.payouts {
                match payout {
                    Ok(payout) => payouts.push(to_json(&payout)?),
                    Err(error) => unreadable.push(error.to_string()),
                }
            }
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(json!({ "payouts": payouts, "unreadable": unreadable })),
            }
        }
    }

    fn disable(&self, given: &Value) -> Result<Value, Failure> {
        let id = Params::read(given, &["id"])?.required("id")?;
        let payout = self.ledger.get(read_id(&id)?)?;
        match payout {
            Some(payout) if payout.terms().draft_offer().is_some() => {
                let id = id.parse().map_err(Failure::params)?;
                to_json(&disableoffer(&self.ledger, id, now())?)
            }
            _ => {
                let id = id.parse().map_err(Failure::params)?;
                to_json(&disableinvoicerequest(&self.ledger, id, now())?)
            }
        }
    }

    /// Asks the node about every payment in flight.
    pub fn recover(&self) -> Result<Value, Failure> {
        let report = self.ledger.recover(&self.node, &RecoverOptions::new(), now)?;
        let payments = report.payments.iter().map(|payment| {
            json!({
                "payout": payment.payout.to_string(),
                "payment_hash": payment.hash.to_string(),
                "result": describe(&payment.result),
            })
        });
        let payments: Vec<Value> = payments.collect();
        let unreadable: Vec<String> = report.unreadable.iter().map(ToString::to_string).collect();
        for payment in &report.payments {
            let level = match payment.result {
                PaymentResult::NeverBegun { .. } => "unusual",
                _ => "info",
            };
            log(level, &format!("payout {}: recovered: {}", payment.payout, describe(&payment.result)));
        }
        for row in &unreadable {
            log("broken", row);
        }
        Ok(json!({ "payments": payments, "unreadable": unreadable }))
    }
}

impl PathBack {
    fn open(node: &Cln, through: PublicKey) -> Result<Self, Failure> {
        let secret = |name| secret::secret(node, name).map_err(Failure::other);
        Ok(Self {
            through,
            keys: PayerKeys::new(secret("bolt12 payouts: payer keys")?),
            session: secret("bolt12 payouts: session")?,
        })
    }

    /// The request with a path to the node `own`. The same parameters give the same path, and so the same request.
    fn request(
        &self,
        params: &InvoiceRequestParams<'_>,
        own: PublicKey,
        path_id: &[u8; 32],
    ) -> Result<InvoiceRequest, Failure> {
        let mut engine = sha256::Hash::engine();
        engine.input(&self.session);
        engine.input(params.metadata);
        let session = sha256::Hash::from_engine(engine).to_byte_array();
        let session = SecretKey::from_slice(&session).map_err(Failure::other)?;
        let to_own = HopData { next_node_id: Some(own), ..HopData::default() }.to_bytes();
        let for_own = HopData { path_id: Some(path_id), ..HopData::default() }.to_bytes();
        let path = blind(&session, &[(self.through, &to_own), (own, &for_own)]).map_err(Failure::other)?;
        let params = InvoiceRequestParams { paths: &[path], ..params.clone() };
        self.keys.sign(&params.builder(), params.metadata).map_err(Failure::other)
    }
}

/// The parameters of `offerout`.
struct Asked {
    amount: Amount,
    description: String,
    issuer: Option<String>,
    label: Option<String>,
    absolute_expiry: Option<u64>,
    refund_for: Option<String>,
    key: Option<String>,
}

/// A result as one line of text.
pub fn describe(result: &PaymentResult) -> String {
    match result {
        PaymentResult::Paid { .. } => "paid".to_owned(),
        PaymentResult::Failed { reason } => format!("failed: {reason}"),
        PaymentResult::InFlight { error: None } => "in flight".to_owned(),
        PaymentResult::InFlight { error: Some(error) } => format!("in flight: {error}"),
        PaymentResult::NeverBegun { reason } => format!("never begun, a person decides: {reason}"),
    }
}

fn read_id(text: &str) -> Result<PayoutId, Failure> {
    text.parse().map_err(|error| Failure::params(format!("id: {error}")))
}

fn to_json(value: &impl serde::Serialize) -> Result<Value, Failure> {
    serde_json::to_value(value).map_err(Failure::other)
}

/// The present time in unix seconds.
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
