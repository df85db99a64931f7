//! What a device shows, line by line.

use bitcoin::constants::ChainHash;
use bolt12::device::{Screen, SigningContext, SigningRequest};
use bolt12::field::{BlindedPathBuf, PayInfo};
use bolt12::{InvoiceRequest, Preimage, UnsignedInvoiceRequest, draft};

use super::*;

fn key_text(key: u8) -> String {
    let hex = point(key).to_string();
    hex.as_bytes().chunks(8).map(|group| std::str::from_utf8(group).unwrap()).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_request_for_an_offer_shows_all_that_it_pays_for() {
    let offer = Offer::builder().issuer_id(point(ISSUER)).issuer("Tea & Co").description("tea");
    let offer = offer.amount_in("EUR".parse().unwrap(), 250).quantity_max(9).absolute_expiry(1_700_000_000);
    let offer = offer.build().unwrap();
    let request = offer.request_invoice().quantity(3).amount(msat(100_000_500)).payer_note("hot");
    assert_eq!(
        screens(&signing_request(&unsigned(&request))),
        [
            "You pay: 100 000.500 sat, price 7.50 EUR",
            "To (unverified): \"Tea & Co\"",
            &format!("Payee key: {}", key_text(ISSUER)),
            "Description: \"tea\"",
            "Quantity: 3 items, 2.50 EUR each",
            "Your note: \"hot\"",
            "Expires: 2023-11-14 22:13:20 UTC",
        ]
    );
    let request = offer.request_invoice().quantity(1);
    let shown = screens(&signing_request(&unsigned(&request)));
    assert_eq!(shown[0], "You pay: 2.50 EUR, in bitcoin at the payee's rate");
    assert_eq!(shown[4], "Quantity: 1 item, 2.50 EUR each");
}

#[test]
fn an_amount_above_the_price_shows_both() {
    let offer = tea(ISSUER);
    let request = offer.request_invoice().amount(msat(1_235_000));
    let shown = screens(&signing_request(&unsigned(&request)));
    assert_eq!(shown[0], "You pay: 1 235 sat, price 1 234 sat");
    let request = offer.request_invoice().amount(msat(1_234_000));
    assert_eq!(screens(&signing_request(&unsigned(&request)))[0], "You pay: 1 234 sat");
}

#[test]
fn an_offer_with_paths_alone_is_known_by_its_id() {
    let end = BlindedPathBuf::try_from(&path(0x31, 1)[..]).unwrap();
    let offer = Offer::builder().path(end.path()).build().unwrap();
    let request = signing_request(&unsigned(&offer.request_invoice().amount(msat(1))));
    let shown = screens(&request);
    let id = offer.offer_id().to_string();
    assert_eq!(shown[..2], ["You pay: 0.001 sat", "To: unknown payee"]);
    assert_eq!(shown[2].replace(' ', ""), format!("Offerid:{id}"));
    assert_eq!(shown[3..], ["Description: none", "Expires: never"]);
}

#[test]
fn a_request_without_an_offer_pays_the_first_that_answers() {
    let refund = InvoiceRequest::without_offer("refund 17", msat(5_000)).issuer("ACME");
    let refund = refund.chain(ChainHash::REGTEST);
    assert_eq!(
        screens(&signing_request(&unsigned(&refund))),
        [
            "Network: regtest",
            "You pay: 5 sat",
            "To: unknown payee: the first that sends an invoice",
            "Your name: \"ACME\"",
            "Description: \"refund 17\"",
            "Expires: never",
        ]
    );
}

#[test]
fn an_invoice_shows_what_it_receives() {
    let request = parse_request(&request().with(89, "for two")).unwrap();
    let end = BlindedPathBuf::try_from(&path(0x31, 1)[..]).unwrap();
    let hash = Preimage::from_byte_array([2; 32]).payment_hash();
    let invoice = request.respond(hash, 1_700_000_000).path(end.path(), PayInfo::default());
    let invoice = invoice.relative_expiry(60).build_unsigned(point(ISSUER)).unwrap();
    let shown = screens(&invoice_request(&invoice));
    assert_eq!(
        shown[..4],
        [
            "You receive: 1 sat",
            "From: unknown payer",
            "Note of the payer: \"for two\"",
            "Description: \"coffee\""
        ]
    );
    assert_eq!(shown[4].replace(' ', ""), format!("Paymenthash:{hash}"));
    assert_eq!(shown[5..], ["Expires: 2023-11-14 22:14:20 UTC"]);

    let payout = parse_unsigned(&refund().with(18, "ACME")).unwrap();
    let invoice = payout.respond(hash, 5).path(end.path(), PayInfo::default());
    let invoice = invoice.build_unsigned(point(7)).unwrap();
    assert_eq!(screens(&invoice_request(&invoice))[1], "From (unverified): \"ACME\"");
}

#[test]
fn a_proof_shows_what_it_discloses() {
    let preimage = Preimage::from_byte_array([2; 32]);
    let invoice = parse_invoice(&invoice().with(168, preimage.payment_hash().to_byte_array())).unwrap();
    let proof = |builder: bolt12::proof::PayerProofBuilder<'_>| {
        let proof = builder.build_unsigned().unwrap();
        screens(&SigningRequest::builder(proof.unsigned_message()).build().unwrap())
    };
    let builder = invoice.prove_payment(preimage).unwrap();
    assert_eq!(
        proof(builder.clone().note("order 17")),
        [
            "You prove: that you paid 1 sat",
            "To: unknown payee",
            &format!("Payee key: {}", key_text(ISSUER)),
            "Description: \"coffee\"",
            "Note of the proof: \"order 17\"",
            "Discloses 1/2: the preimage, offer_description, offer_issuer_id, invreq_payer_id, invoice_created_at, ",
            "Discloses 2/2: invoice_payment_hash, invoice_amount, invoice_node_id",
            "Hides: 4 fields",
        ]
    );
    let shown = proof(builder.show_required());
    assert_eq!(shown[0], "You prove: that you paid, no amount is shown");
    assert_eq!(shown[3..5], ["Description: none", "Note of the proof: none: it serves every reader"]);
}

#[test]
fn a_payout_of_the_draft_shows_what_it_pays() {
    let (id, _) = device_key().x_only_public_key();
    let show = |offer: &draft::Offer| {
        let builder = SigningRequest::builder(offer.unsigned_message());
        screens(&builder.on(offer.chains().next().unwrap()).build().unwrap())
    };
    let offer = draft::Offer::payout("withdrawal", id).amount("100000sat".parse().unwrap()).issuer("ATM");
    let offer = offer.absolute_expiry(1_700_000_000).build().unwrap();
    assert_eq!(
        show(&offer),
        [
            "You pay: 100 000 sat",
            "To: unknown payee: the first that sends an invoice",
            "Your name: \"ATM\"",
            "Description: \"withdrawal\"",
            "Expires: 2023-11-14 22:13:20 UTC",
        ]
    );
    // From that second on it is expired.
    let request = SigningRequest::builder(offer.unsigned_message()).build().unwrap();
    assert!(request.review(&SigningContext::new().now(1_699_999_999)).is_ok());
    assert!(request.review(&SigningContext::new().now(1_700_000_000)).is_err());

    let any = draft::Offer::payout("x", id).amount("any".parse().unwrap()).chain(ChainHash::SIGNET);
    let any = any.refund_for([9; 32].into()).build().unwrap();
    let shown = show(&any);
    assert_eq!(
        shown[..3],
        [
            "Network: signet",
            "You pay: any amount that the payee asks for",
            "To: the payer of the refunded invoice"
        ]
    );
    assert!(shown[3].starts_with("Refund of: 09090909 "));
    let sold =
        |builder: draft::OfferBuilder<'_>| show(&builder.amount("2sat".parse().unwrap()).build().unwrap());
    let shown = sold(draft::Offer::builder("tea", id).quantity_min(2));
    assert_eq!(
        (&shown[0][..], &shown[2][..]),
        ("You ask for: 2 sat, for each item", "Quantity: 2 or more items")
    );
    let shown = sold(draft::Offer::builder("tea", id).quantity_max(3));
    assert_eq!(shown[2], "Quantity: 1 to 3 items");
    // A currency of the draft is any text.
    let records = Records::default().with(6, "E\"R").int(8, 250).with(10, "x").with(30, id.serialize());
    let dollars = draft::Offer::try_from(records.bytes()).unwrap();
    let shown = show(&dollars);
    assert_eq!(shown[..2], ["You ask for: 250 minor units of another currency", "Currency: \"E'R\""]);
}

#[test]
fn an_invoice_of_the_draft_shows_what_it_receives() {
    let (payer, _) = key(7).x_only_public_key();
    let (payee, _) = device_key().x_only_public_key();
    let offer = draft::Offer::payout("x", payer).amount("7sat".parse().unwrap()).build().unwrap();
    let invoice = offer.respond([9; 32].into(), payee).created_at(1_700_000_000).build_unsigned().unwrap();
    let shown = screens(&SigningRequest::builder(invoice.unsigned_message()).build().unwrap());
    assert_eq!(shown[..3], ["You receive: 7 sat", "From: unknown payer", "Description: \"x\""]);
    assert!(shown[3].starts_with("Payment hash: 09090909 "));
    assert_eq!(shown[4..], ["Expires: 2023-11-15 00:13:20 UTC"]);
}

/// What a proof and a message of the draft can say that no builder writes.
#[test]
fn odd_messages_have_screens_too() {
    let preimage = Preimage::from_byte_array([2; 32]);
    let hash = preimage.payment_hash().to_byte_array();
    let many = (0..40).fold(invoice().with(168, hash), |records, n| records.with(3_000_000_001 + 2 * n, [1]));
    let proof = parse_invoice(&many).unwrap();
    let proof = proof.prove_payment(preimage).unwrap().show_all().build_unsigned().unwrap();
    let shown = screens(&SigningRequest::builder(proof.unsigned_message()).build().unwrap());
    let disclosed: String = shown.iter().filter(|screen| screen.starts_with("Discloses")).cloned().collect();
    assert!(disclosed.ends_with("3000000041, 19 more fields"), "{disclosed}");
    assert_eq!(proof.shown_records().count() + 1, 32 + 19);

    let (id, _) = device_key().x_only_public_key();
    let draft = |kind: u8, records: &Records| {
        let wrapped = Records::default().with(0, [1]).with(2, [kind]).with(4, records.bytes());
        screens(&SigningRequest::read(wrapped.with(6, ChainHash::BITCOIN.to_bytes()).bytes()).unwrap())
    };
    let offer = Records::default().with(10, "x").with(30, id.serialize());
    let repeating = draft(4, &offer.clone().int(8, u64::MAX).with(26, [1, 1]));
    assert_eq!(repeating[0], "You ask for: an amount that no payment can have");
    assert_eq!(repeating[2], "Repeats: the payment is due again in each period");
    assert_eq!(draft(4, &offer)[0], "You ask for: any amount that the payer chooses");

    let invoice = Records::default().with(30, id.serialize());
    assert_eq!(
        draft(5, &invoice),
        ["You receive: no amount is stated", "From: unknown payer", "Description: none", "Expires: never"]
    );
    let rich = invoice
        .int(8, u64::MAX)
        .with(20, "me")
        .int(32, 2)
        .with(39, "hi")
        .with(48, [&[0, 0, 20][..], &[7; 20]].concat());
    assert_eq!(
        draft(5, &rich)[..6],
        [
            "You receive: more than there is",
            "From: unknown payer",
            "Your name: \"me\"",
            "Note: \"hi\"",
            "Description: none",
            "Quantity: 2 items"
        ]
    );
    let address = draft(5, &rich).into_iter().find(|screen| screen.starts_with("Or on-chain to: bc1q"));
    assert!(address.is_some());
}

#[test]
fn on_chain_addresses_are_all_counted() {
    let request = parse_request(&request()).unwrap();
    let end = BlindedPathBuf::try_from(&path(0x31, 1)[..]).unwrap();
    let address: bitcoin::Address<_> = "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4".parse().unwrap();
    let address = address.assume_checked();
    for (addresses, expected) in [(4, None), (5, Some("1 more address")), (9, Some("5 more addresses"))] {
        let mut invoice = request.respond([1; 32].into(), 5).path(end.path(), PayInfo::default());
        for _ in 0..addresses {
            invoice = invoice.fallback(&address);
        }
        let invoice = invoice.build_unsigned(point(ISSUER)).unwrap();
        let shown = screens(&invoice_request(&invoice));
        let listed = shown.iter().filter_map(|screen| screen.strip_prefix("Or on-chain to: "));
        let listed: Vec<_> = listed.collect();
        assert_eq!(listed.iter().filter(|line| line.starts_with("bc1q")).count(), 4);
        assert_eq!(listed.get(4).copied(), expected);
    }
}

/// Records that the signature covers and that no screen can explain.
#[test]
fn records_that_are_not_shown_are_counted() {
    let unknown = |numbers: &[u64]| {
        let records = numbers.iter().fold(request(), |records, number| records.with(*number, [1]));
        let message = UnsignedInvoiceRequest::try_from(records.bytes()).unwrap();
        screens(&signing_request(&message)).pop().unwrap()
    };
    assert_eq!(unknown(&[]), "Expires: never");
    assert_eq!(unknown(&[33]), "Not shown: 1 unknown field: type 33");
    assert_eq!(
        unknown(&[33, 35, 93, 95, 2_000_000_001]),
        "Not shown: 5 unknown fields: type 33, 35, 93, 95, 2000000001"
    );
    assert_eq!(unknown(&[33, 35, 37, 93, 95, 97]), "Not shown: 6 unknown fields: type 33, 35, 37, 93, 95 …");
}

#[test]
fn a_stranger_cannot_forge_a_screen() {
    let forged = "tea\"\nYou pay: \"1 sat\u{202e}\u{2066}\u{2800}\u{200b}  \t  \u{3000}x\u{0}";
    let message = UnsignedInvoiceRequest::try_from(request().with(10, forged).bytes()).unwrap();
    let shown = screens(&signing_request(&message));
    assert_eq!(
        shown[3],
        "Description: \"tea'\u{fffd}You pay: '1 sat\u{fffd}\u{fffd}\u{fffd}\u{fffd} \u{fffd} x\u{fffd}\""
    );
}

#[test]
fn a_long_text_goes_on_and_its_end_is_named() {
    let description = |text: &str| {
        let message = UnsignedInvoiceRequest::try_from(request().with(10, text).bytes()).unwrap();
        let request = signing_request(&message);
        let review = request.review(&SigningContext::new()).unwrap();
        let screens = review.screens().iter().filter(|screen| screen.title().starts_with("Description"));
        screens.cloned().collect::<Vec<Screen>>()
    };
    let exact = description(&"é".repeat(94));
    assert_eq!((exact.len(), exact[0].title()), (1, "Description"));
    assert_eq!(exact[0].text(), format!("\"{}\"", "é".repeat(94)));
    let two = description(&"é".repeat(95));
    assert_eq!((two[0].title(), two[1].title()), ("Description 1/2", "Description 2/2"));
    assert_eq!((two[0].text().chars().count(), two[1].text()), (96, "\""));
    let long = description(&"0123456789".repeat(2_000));
    assert_eq!(long.len(), 6);
    assert!(long[5].text().ends_with("9\" and 19520 more characters"), "{}", long[5].text());
    let all: String = long.iter().map(Screen::text).collect();
    assert_eq!(all.matches('"').count(), 2);
    let one_more = description(&"x".repeat(481));
    assert!(one_more[5].text().ends_with("x\" and 1 more character"));
}

#[test]
fn lines_fit_their_width_and_lose_nothing() {
    let text = "You pay 1 234 sat to a-very-long-word-that-fits-no-line and   é日本";
    let message = UnsignedInvoiceRequest::try_from(request().with(10, text).bytes()).unwrap();
    let request = signing_request(&message);
    let review = request.review(&SigningContext::new()).unwrap();
    for screen in review.screens() {
        for width in 0..40 {
            let lines = screen.lines(width);
            assert!(lines.iter().all(|line| (1..=width.max(1)).contains(&line.chars().count())), "{lines:?}");
            assert_eq!(lines.concat().replace(' ', ""), screen.text().replace(' ', ""));
        }
    }
    let screen = &review.screens()[3];
    assert_eq!(
        screen.lines(20),
        ["\"You pay 1 234 sat", "to", "a-very-long-word-tha", "t-fits-no-line and", "é日本\""]
    );
}
