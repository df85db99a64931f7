//! Keys, and messages put together record by record, right or wrong.

use bolt12::merkle::{LnNonce, root};
use bolt12::sign::{SignatureField, Signer};
use bolt12::tlv::{Stream, Writer};
use secp256k1::{Keypair, PublicKey, SECP256K1, SecretKey};

pub fn key(byte: u8) -> Keypair {
    Keypair::from_secret_key(SECP256K1, &SecretKey::from_slice(&[byte; 32]).unwrap())
}

pub fn point(byte: u8) -> PublicKey {
    key(byte).public_key()
}

/// The keys of the usual parties.
pub const ISSUER: u8 = 0x46;
pub const PAYER: u8 = 0x42;

/// Records as type and value.
#[derive(Clone, Debug, Default)]
pub struct Records(pub Vec<(u64, Vec<u8>)>);

impl Records {
    /// Puts a record in, or another value into it.
    pub fn with(mut self, number: u64, value: impl AsRef<[u8]>) -> Self {
        self.0.retain(|(other, _)| *other != number);
        self.0.push((number, value.as_ref().to_vec()));
        self.0.sort();
        self
    }

    pub fn without(mut self, number: u64) -> Self {
        self.0.retain(|(other, _)| *other != number);
        self
    }

    pub fn int(self, number: u64, value: u64) -> Self {
        let bytes = value.to_be_bytes();
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        self.with(number, &bytes[zeros..])
    }

    pub fn bytes(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        self.0.iter().for_each(|(number, value)| writer.record(*number, value));
        writer.into_bytes()
    }

    /// The stream with a signature over it in 240.
    pub fn signed(&self, field: SignatureField, signer: &Keypair) -> Vec<u8> {
        let bytes = self.bytes();
        let sighash = field.sighash(root::<LnNonce>(Stream::new(&bytes).unwrap()));
        self.clone().with(240, signer.sign(&sighash).unwrap().as_ref()).bytes()
    }
}

pub fn offer() -> Records {
    Records::default().int(8, 1000).with(10, b"coffee").with(22, point(ISSUER).serialize())
}

/// A request for [`offer`].
pub fn request() -> Records {
    offer().with(0, [0x5a; 16]).with(88, point(PAYER).serialize())
}

/// A request without an offer.
pub fn refund() -> Records {
    Records::default()
        .with(0, [0x5a; 16])
        .with(10, b"refund")
        .int(82, 1000)
        .with(88, point(PAYER).serialize())
}

/// An invoice for [`request`].
pub fn invoice() -> Records {
    invoice_for(request())
}

pub fn invoice_for(request: Records) -> Records {
    request
        .with(160, path(0x31, 1))
        .with(162, payinfo(&[]))
        .int(164, 1_700_000_000)
        .with(168, [0x33; 32])
        .int(170, 1000)
        .with(176, point(ISSUER).serialize())
}

pub fn parse_offer(records: &Records) -> Result<bolt12::Offer, String> {
    bolt12::Offer::try_from(records.bytes()).map_err(|error| error.to_string())
}

pub fn parse_request(records: &Records) -> Result<bolt12::InvoiceRequest, String> {
    let bytes = records.signed(SignatureField::INVOICE_REQUEST, &key(PAYER));
    bolt12::InvoiceRequest::try_from(bytes).map_err(|error| error.to_string())
}

pub fn parse_unsigned(records: &Records) -> Result<bolt12::InvoiceRequest, String> {
    bolt12::InvoiceRequest::try_from(records.bytes()).map_err(|error| error.to_string())
}

pub fn parse_invoice(records: &Records) -> Result<bolt12::Invoice, String> {
    parse_invoice_by(records, &key(ISSUER))
}

pub fn parse_invoice_by(records: &Records, signer: &Keypair) -> Result<bolt12::Invoice, String> {
    let bytes = records.signed(SignatureField::INVOICE, signer);
    bolt12::Invoice::try_from(bytes).map_err(|error| error.to_string())
}

/// A path of `hops` hops, whose last blinded node id is that of key `end`.
pub fn path(end: u8, hops: u8) -> Vec<u8> {
    let mut bytes = point(0x43).serialize().to_vec();
    bytes.extend(point(0x44).serialize());
    bytes.push(hops);
    for hop in 1..=hops {
        bytes.extend(point(if hop == hops { end } else { 0x45 }).serialize());
        bytes.extend([0, 2, 0xca, 0xfe]);
    }
    bytes
}

pub fn payinfo(features: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, 0, 1, 0, 0, 0, 2, 0, 3];
    bytes.extend(4u64.to_be_bytes());
    bytes.extend(1_000_000u64.to_be_bytes());
    bytes.extend(u16::try_from(features.len()).unwrap().to_be_bytes());
    bytes.extend(features);
    bytes
}
