//! A host that lies to the person at the device, and a wire that lies to the host.

use bitcoin::constants::ChainHash;
use bolt12::device::{
    RecentRequests, RemoteSigner, SigningAnswer, SigningAnswerError, SigningContext, SigningRequest,
};
use bolt12::sign::{Signer, SignerError};
use bolt12::{InvoiceRequest, Offer, Preimage, UnsignedInvoice};

use super::*;

/// An offer with a quantity, for bitcoin and testnet, at a price in `currency`, or in msat.
fn priced(issuer: u8, currency: Option<&str>) -> Offer {
    let builder = Offer::builder().issuer_id(point(issuer)).description("tea").quantity_max(9);
    let builder = builder.chain(ChainHash::BITCOIN).chain(ChainHash::TESTNET3);
    match currency {
        Some(currency) => builder.amount_in(currency.parse().unwrap(), 250),
        None => builder.amount(msat(250)),
    }
    .build()
    .unwrap()
}

/// Each message that a host asks the signature for, with the screen that betrays it.
#[test]
fn a_host_that_shows_one_message_does_not_get_the_signature_of_another() {
    let euro = priced(ISSUER, Some("EUR"));
    let honest = |offer: &Offer| unsigned(&offer.request_invoice().amount(msat(50_000)).quantity(2));
    let agreed = honest(&euro);
    let answer = signed(&signing_request(&agreed));
    let signature = answer.result().unwrap();
    let request = euro.request_invoice().quantity(2);
    let described = Offer::builder().issuer_id(point(ISSUER)).description("coffee").quantity_max(9);
    let described = described.chain(ChainHash::BITCOIN).chain(ChainHash::TESTNET3);
    let described = described.amount_in("EUR".parse().unwrap(), 250).build().unwrap();
    let others = [
        ("You pay", unsigned(&request.clone().amount(msat(60_000)))),
        ("You pay", unsigned(&request.clone())),
        ("Payee key", honest(&priced(0x47, Some("EUR")))),
        ("Network", unsigned(&request.clone().amount(msat(50_000)).chain(ChainHash::TESTNET3))),
        ("Quantity", unsigned(&euro.request_invoice().amount(msat(50_000)).quantity(3))),
        ("You pay", honest(&priced(ISSUER, Some("USD")))),
        ("You pay", honest(&priced(ISSUER, None))),
        ("Description", honest(&described)),
        ("Your note", unsigned(&request.amount(msat(50_000)).payer_note("for me"))),
    ];
    let before = screens(&signing_request(&agreed));
    for (title, other) in others {
        let asked = signing_request(&other);
        let after = screens(&asked);
        let betrayed = after.iter().chain(&before);
        let betrayed = betrayed.filter(|screen| !(before.contains(screen) && after.contains(screen)));
        assert!(betrayed.clone().any(|screen| screen.starts_with(title)), "{title}: {after:?}");
        // The screens of one message do not confirm another.
        let review = signing_request(&agreed);
        let review = review.review(&SigningContext::new()).unwrap().screens().to_vec();
        let context = SigningContext::new().on(asked.chain());
        let denied = asked.review(&context).unwrap().confirm_shown(&review).unwrap_err();
        assert_eq!(denied.to_string(), "denied at the device");
        // The signature of one does not fit another.
        assert!(matches!(answer.signature_for(&asked), Err(SigningAnswerError::OtherRequest { .. })));
        let error = other.attach(&signature).unwrap_err().to_string();
        assert!(error.starts_with("the signer's answer is not a signature by its key"), "{error}");
    }
    // Control.
    assert!(agreed.attach(&signature).is_ok());
}

#[test]
fn a_chain_other_than_the_devices_is_refused() {
    let offer = priced(ISSUER, None);
    let message = unsigned(&offer.request_invoice().quantity(1).chain(ChainHash::TESTNET3));
    let request = signing_request(&message);
    let error = request.review(&SigningContext::new()).unwrap_err().to_string();
    assert_eq!(error, "chain testnet: expected bitcoin, the chain of the device");
    // The host cannot name another chain than that of the message.
    let error = SigningRequest::builder(message.unsigned_message()).build().unwrap_err().to_string();
    assert_eq!(error, "chain bitcoin: expected the chain of the message");
}

#[test]
fn a_person_who_stops_at_any_screen_signs_nothing() {
    let request = signing_request(&unsigned(&tea(ISSUER).request_invoice().payer_note("two")));
    let total = screens(&request).len();
    assert_eq!(total, 6);
    for stop in 0..total {
        let mut seen = 0;
        let review = request.review(&SigningContext::new()).unwrap();
        let refusal = review.confirm(|_| {
            seen += 1;
            seen <= stop
        });
        assert_eq!(refusal.unwrap_err().to_string(), "denied at the device");
        assert_eq!(seen, stop + 1, "no screen is shown after the one that was refused");
        // Nor does a device that shows them from an event loop and leaves one out.
        let mut shown = request.review(&SigningContext::new()).unwrap().screens().to_vec();
        shown.remove(stop);
        assert!(request.review(&SigningContext::new()).unwrap().confirm_shown(&shown).is_err());
    }
    let all = request.review(&SigningContext::new()).unwrap().screens().to_vec();
    assert!(request.review(&SigningContext::new()).unwrap().confirm_shown(&all).is_ok());
}

#[test]
fn a_replayed_request_is_shown_as_one_and_pays_nothing_new() {
    let mut recent = RecentRequests::<2>::new();
    let message = unsigned(&tea(ISSUER).request_invoice());
    let request = signing_request(&message);
    let show = |request: &SigningRequest, recent: &RecentRequests<2>| {
        let context = SigningContext::new().signed_before(recent.contains(request));
        shown(&request.review(&context).unwrap())
    };
    assert_eq!(show(&request, &recent)[0], "You pay: 1 234 sat");
    let first = signed(&request).result().unwrap();
    recent.insert(&request);
    // The same message in other bytes is the same message.
    let offer = tea(ISSUER);
    let wrapped = SigningRequest::builder(message.unsigned_message()).offer(&offer).build().unwrap();
    assert_ne!(wrapped.id(), request.id());
    for replayed in [&request, &wrapped] {
        let screens = show(replayed, &recent);
        assert_eq!(screens[..2], ["Signed before: this message, by this device", "You pay: 1 234 sat"]);
        // It has one signature, so one invoice_request, and the host has it already.
        assert_eq!(signed(replayed).result().unwrap(), first);
    }
    // The table forgets the oldest first, and one message takes one place.
    let other = |amount| signing_request(&unsigned(&tea(ISSUER).request_invoice().amount(msat(amount))));
    recent.insert(&other(2_000_000));
    recent.insert(&wrapped);
    assert!(recent.contains(&request) && recent.contains(&other(2_000_000)));
    recent.insert(&other(3_000_000));
    assert!(!recent.contains(&request));
    assert!(recent.contains(&other(2_000_000)) && recent.contains(&other(3_000_000)));
}

#[test]
fn an_answer_to_another_request_is_refused() {
    let request = |amount| signing_request(&unsigned(&tea(ISSUER).request_invoice().amount(msat(amount))));
    let (first, second) = (request(2_000_000), request(3_000_000));
    let replayed = signed(&first);
    let error = replayed.signature_for(&second).unwrap_err().to_string();
    assert_eq!(error, format!("an answer to the request {}: expected {}", first.id(), second.id()));
    // Nor does it help to write the right id on it.
    let mut bytes = replayed.to_bytes();
    bytes[5..37].copy_from_slice(second.id().as_byte_array());
    let error = SigningAnswer::read(&bytes).unwrap().signature_for(&second).unwrap_err();
    let (payer, _) = device_key().x_only_public_key();
    assert_eq!(error, SigningAnswerError::Signature(SignerError::WrongSignature { key: payer.serialize() }));
}

#[test]
fn a_device_without_the_key_says_so() {
    let request = signing_request(&unsigned(&tea(ISSUER).request_invoice()));
    let review = request.review(&SigningContext::new()).unwrap();
    let answer = review.confirm(|_| true).unwrap().sign(&key(9));
    let (held, _) = key(9).x_only_public_key();
    let error = answer.signature_for(&request).unwrap_err().to_string();
    assert_eq!(error, format!("the device refused: another key: the device has {held}"));
}

/// Every bit of a request and of an answer, flipped: no signature for anything but what was shown.
#[test]
fn a_wire_that_flips_a_bit_changes_no_signed_message() {
    let offer = priced(ISSUER, Some("EUR"));
    let payee = tea(ISSUER);
    let message = unsigned(&offer.request_invoice().quantity(2).payer_note("n"));
    let sent = SigningRequest::builder(message.unsigned_message()).offer(&offer).build().unwrap();
    let mut read = 0;
    for bit in 0..sent.as_bytes().len() * 8 {
        let mut bytes = sent.as_bytes().to_vec();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let Ok(request) = SigningRequest::read(bytes) else { continue };
        read += 1;
        let context = SigningContext::new().on(request.chain());
        let Ok(review) = request.review(&context) else { continue };
        let answer = review.confirm(|_| true).unwrap().sign(&device_key());
        assert!(answer.signature_for(&sent).is_err(), "bit {bit}");
        if let Ok(signature) = answer.result() {
            let is_same = request.message() == sent.message();
            assert_eq!(message.clone().attach(&signature).is_ok(), is_same, "bit {bit}");
        }
    }
    // Flips of the payer's bytes, the note for one, are valid requests.
    assert!(read > 8, "{read}");

    let answer = signed(&sent).to_bytes();
    for bit in 0..answer.len() * 8 {
        let device = |bytes: &[u8]| {
            assert_ne!(bytes, payee.as_bytes());
            let mut answer = signed(&SigningRequest::read(bytes).unwrap()).to_bytes();
            answer[bit / 8] ^= 1 << (bit % 8);
            Ok(answer)
        };
        let remote = RemoteSigner::new(device_key().public_key(), device);
        assert!(
            offer.request_invoice().quantity(2).payer_note("n").sign(&remote, &[1; 16]).is_err(),
            "bit {bit}"
        );
    }
}

#[test]
fn a_remote_signer_signs_no_hash() {
    let remote = RemoteSigner::new(device_key().public_key(), |_: &[u8]| Ok(Vec::new()));
    let message = unsigned(&tea(ISSUER).request_invoice());
    let error = Signer::sign(&remote, &message.sighash()).unwrap_err().to_string();
    assert_eq!(error, "the signer refused: a device signs a whole message, not a hash");
    let error = remote.sign_message(&message.unsigned_message()).unwrap_err().to_string();
    assert_eq!(error, "the signer refused: version (type 0): missing");
}

/// A host of a shop that puts its own address or payment into the invoice.
#[test]
fn a_swapped_invoice_shows_where_the_money_goes() {
    let request = parse_request(&request()).unwrap();
    let end = bolt12::field::BlindedPathBuf::try_from(&path(0x31, 1)[..]).unwrap();
    let hash = Preimage::from_byte_array([2; 32]).payment_hash();
    let builder = |hash| request.respond(hash, 1).path(end.path(), bolt12::field::PayInfo::default());
    let make = |builder: bolt12::message::InvoiceBuilder<'_>| -> UnsignedInvoice {
        builder.build_unsigned(point(ISSUER)).unwrap()
    };
    let honest = screens(&invoice_request(&make(builder(hash))));
    let other_hash = screens(&invoice_request(&make(builder([9; 32].into()))));
    let address: bitcoin::Address<_> = "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4".parse().unwrap();
    let address = address.assume_checked();
    let other_address = screens(&invoice_request(&make(builder(hash).fallback(&address))));
    assert_eq!(honest[3].replace(' ', ""), format!("Paymenthash:{hash}"));
    assert!(other_hash[3].starts_with("Payment hash: 09090909 09090909 "));
    assert_eq!(other_address[4], "Or on-chain to: bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4");
    // Another amount than the request's is no invoice for it.
    let error = builder(hash).amount(msat(999)).build_unsigned(point(ISSUER)).unwrap_err().to_string();
    assert_eq!(error, "invoice_amount (type 170): 999 msat, expected 1000 msat");
}

#[test]
fn an_expired_message_is_refused_where_the_device_has_a_clock() {
    let refund = InvoiceRequest::without_offer("refund", msat(5)).absolute_expiry(100);
    let request = signing_request(&unsigned(&refund));
    assert!(request.review(&SigningContext::new().now(100)).is_ok());
    let error = request.review(&SigningContext::new().now(101)).unwrap_err().to_string();
    assert_eq!(error, "expired at 100 (now 101)");
    assert!(request.review(&SigningContext::new()).is_ok());
}
