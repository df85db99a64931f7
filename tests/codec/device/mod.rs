//! The signing exchange for devices: its bytes, its screens, and hosts and wires that lie.

mod attacks;
mod bytes;
mod names;
mod screens;

use bolt12::device::{Review, SigningAnswer, SigningContext, SigningRequest};
use bolt12::message::InvoiceRequestBuilder;
use bolt12::{Msat, Offer, UnsignedInvoice, UnsignedInvoiceRequest};
use secp256k1::Keypair;

use testkit::records::*;

/// The key in the device.
fn device_key() -> Keypair {
    key(PAYER)
}

fn msat(amount: u64) -> Msat {
    Msat::new(amount).unwrap()
}

/// An offer of key `issuer`.
fn tea(issuer: u8) -> Offer {
    let builder = Offer::builder().issuer_id(point(issuer)).amount(msat(1_234_000)).description("tea");
    builder.build().unwrap()
}

/// A request of the device's key, unsigned.
fn unsigned(builder: &InvoiceRequestBuilder<'_>) -> UnsignedInvoiceRequest {
    builder.build_unsigned(device_key().public_key(), &[1; 16]).unwrap()
}

fn signing_request(unsigned: &UnsignedInvoiceRequest) -> SigningRequest {
    SigningRequest::builder(unsigned.unsigned_message()).on(unsigned.invreq_chain()).build().unwrap()
}

fn invoice_request(invoice: &UnsignedInvoice) -> SigningRequest {
    SigningRequest::builder(invoice.unsigned_message()).build().unwrap()
}

fn shown(review: &Review<'_>) -> Vec<String> {
    review.screens().iter().map(ToString::to_string).collect()
}

/// What a device shows for a request that arrives.
fn screens(request: &SigningRequest) -> Vec<String> {
    shown(&request.review(&SigningContext::new().on(request.chain())).unwrap())
}

/// The answer of a device at which a person agrees to everything.
fn signed(request: &SigningRequest) -> SigningAnswer {
    let review = request.review(&SigningContext::new().on(request.chain())).unwrap();
    review.confirm(|_| true).unwrap().sign(&device_key())
}
