//! What is paid and what is refused: amounts, times, sizes, strange inputs, and what is reported and listed.
//!
//! Tests are named after failures met elsewhere as in `failures.rs`, where there is one: `s2` is an invoice larger than
//! what was asked for, `s24` an expiry that overflows, and so on. All run on memory and on a redb file.

use bolt12::draft::{Invoice, Offer, RedeemError};
use bolt12::merkle::{LnAll, root};
use bolt12::payout::store::{Filter, Label, Order, PageSize, StoreError};
use bolt12::payout::{
    ClaimError, HistoryEntry, HistoryEvent, Ledger, MemoryStore, NewPayout, PayoutId, Status, Terms,
};
use bolt12::sign::{SignatureField, Signer};
use bolt12::tlv::Writer;
use bolt12::{Amount, Msat};
use testkit::ledger::*;

/// The invoice with another amount, also none, which no builder writes, signed again.
fn with_amount(invoice: &Invoice, msat: u64) -> Invoice {
    let mut writer = Writer::new();
    writer.copy(invoice.stream().records().filter(|record| record.number() != 240));
    writer.tu64(8, msat);
    signed(writer)
}

/// The invoice of these records, signed by the payee.
fn signed(mut writer: Writer) -> Invoice {
    let sighash = SignatureField::INVOICE.sighash(root::<LnAll>(writer.stream()));
    writer.record(240, payee().sign(&sighash).unwrap().as_ref());
    Invoice::try_from(writer.into_bytes()).unwrap()
}

#[test]
fn b8_s2_s3_the_amount_is_that_of_the_terms() {
    on_each_store(|stage| {
        let ledger = stage.ledger();
        let (offer, id) = promised(&ledger, "b8");
        let of = |msat| {
            let invoice = offer.respond(hash(1), payee().x_only_public_key().0);
            with_amount(&invoice.amount(Msat::MAX).created_at(NOW).sign(&payee()).unwrap(), msat)
        };
        for msat in [100_001, 99_999, 1, 0, 200_000] {
            let error = ledger.claim(&of(msat), NOW).unwrap_err();
            let sentence = format!("amount: {msat}msat, expected 100000msat");
            assert_eq!(error.payee_message(&of(msat)), sentence);
            let answer = error.invoice_error(&of(msat));
            assert_eq!(answer.error().unwrap(), sentence.as_str());
            assert_eq!(answer.erroneous_field().unwrap().number(), 8);
            assert_eq!(answer.suggested_value(), Some(&[1, 0x86, 0xa0][..]));
        }
        assert_eq!(payout(&ledger, id).version(), 1);
        assert_eq!(ledger.claim(&of(100_000), NOW).unwrap().amount().get(), 100_000);
    });
}

#[test]
fn b8_any_amount_ends_at_the_limit_which_is_not_revealed() {
    on_each_store(|stage| {
        let ledger = stage.ledger();
        let offer = offer_of("any", "any");
        let limited = Terms::draft(offer.clone()).unwrap().with_limit(Msat::new(5_000).unwrap());
        let _ = ledger.create(&limited, NOW).unwrap();
        let of = |number, msat| {
            let invoice = offer.respond(hash(number), payee().x_only_public_key().0);
            with_amount(&invoice.amount(Msat::MAX).created_at(NOW).sign(&payee()).unwrap(), msat)
        };
        let above = ledger.claim(&of(1, 5_001), NOW).unwrap_err();
        assert_eq!(terms(above.clone()), RedeemError::AboveLimit { limit: Msat::new(5_000).unwrap() });
        assert_eq!(above.payee_message(&of(1, 5_001)), "amount: larger than the payer pays for this offer");
        assert_eq!(above.invoice_error(&of(1, 5_001)).suggested_value(), None);
        assert_eq!(terms(ledger.claim(&of(1, 0), NOW).unwrap_err()), RedeemError::AmountZero);
        assert_eq!(ledger.claim(&of(1, 5_000), NOW).unwrap().amount().get(), 5_000);

        // Without a limit it is unlimited, as documented.
        let unlimited = offer_of("any, unlimited", "any");
        let _ = ledger.create(&Terms::draft(unlimited.clone()).unwrap(), NOW).unwrap();
        let all = unlimited
            .respond(hash(2), payee().x_only_public_key().0)
            .amount(Msat::MAX)
            .created_at(NOW)
            .sign(&payee())
            .unwrap();
        assert_eq!(ledger.claim(&all, NOW).unwrap().amount(), Msat::MAX);
    });
}

#[test]
fn b11_a_label_is_a_name_and_no_key() {
    on_each_store(|stage| {
        let ledger = stage.ledger();
        let label = Label::new("till 4").unwrap();
        for description in ["one", "two"] {
            let terms = Terms::draft(offer(description)).unwrap();
            assert!(ledger.create(NewPayout::new(&terms).with_label(label.clone()), NOW).unwrap().is_new());
            // A retry returns what is there, under the label it was made with.
            let again = ledger.create(&terms, NOW + 5).unwrap();
            assert!(!again.is_new());
            assert_eq!(again.into_payout().label(), Some(&label));
        }
        let page = ledger.page(Filter::Label(&label), Order::OldestFirst, None, PageSize::MAX).unwrap();
        assert_eq!(page.payouts.len(), 2);
    });
}

#[test]
fn s1_a_reason_is_cut_between_two_characters() {
    on_each_store(|stage| {
        let ledger = stage.ledger();
        let (offer, id) = promised(&ledger, "s1");
        drop(ledger.claim(&invoice(&offer, 1), NOW).unwrap());
        // The 1024th byte is the second of a character's three.
        let reason = format!("{}€ and more", "x".repeat(HistoryEntry::MAX_REASON - 2));
        ledger.release(hash(1), &reason, NOW).unwrap();
        let Some(HistoryEvent::Released { reason: kept, .. }) = history(&ledger, id).pop() else { panic!() };
        assert_eq!(kept, "x".repeat(HistoryEntry::MAX_REASON - 2));
    });
}

#[test]
fn s5_an_offer_without_node_id_is_kept_and_answered_with_an_error() {
    on_each_store(|stage| {
        let ledger = stage.ledger();
        let mut writer = Writer::new();
        writer.tu64(8, 100_000);
        writer.record(10, b"no payout");
        writer.record(54, &[]);
        let offer = Offer::try_from(writer.into_bytes()).unwrap();
        let _ = ledger.create(&Terms::draft(offer.clone()).unwrap(), NOW).unwrap();
        let answer = offer.respond(hash(1), payee().x_only_public_key().0).sign(&payee());
        assert_eq!(answer.unwrap_err().to_string(), "node_id (type 30): missing");
        let other = invoice(&testkit::ledger::offer("no payout"), 1);
        assert_eq!(ledger.claim(&other, NOW).unwrap_err(), ClaimError::UnknownPayout);
    });
}

#[test]
fn s24_the_largest_times_overflow_nothing() {
    on_each_store(|stage| {
        let ledger = stage.ledger();
        let offer = Offer::payout("s24", atm().x_only_public_key().0).amount("1sat".parse().unwrap());
        let offer = offer.absolute_expiry(u64::MAX).build().unwrap();
        let id = ledger.create(&Terms::draft(offer.clone()).unwrap(), u64::MAX - 1).unwrap();
        let id = id.into_payout().id();
        let of = |number, created_at| {
            let invoice = offer.respond(hash(number), payee().x_only_public_key().0);
            invoice.created_at(created_at).relative_expiry(u32::MAX).sign(&payee()).unwrap()
        };
        assert_eq!(of(1, u64::MAX - 5).expires_at(), Some(u64::MAX));
        drop(ledger.claim(&of(1, u64::MAX - 5), u64::MAX - 1).unwrap());
        ledger.release(hash(1), "", u64::MAX).unwrap();
        let expired = terms(ledger.claim(&of(2, 0), u64::MAX).unwrap_err());
        assert_eq!(expired, RedeemError::OfferExpired { expiry: u64::MAX, now: u64::MAX });
        let old = terms(ledger.claim(&of(2, 0), u64::MAX - 1).unwrap_err());
        assert_eq!(old, RedeemError::InvoiceExpired { last: u32::MAX.into(), now: u64::MAX - 1 });
        assert_eq!(history(&ledger, id).len(), 3);
    });
}

#[test]
fn s28_a_message_of_the_other_direction_is_no_invoice() {
    let offer = offer("s28");
    let reply = |text: &str| text.parse::<Invoice>().unwrap_err().to_string();
    assert_eq!(reply(&offer.to_string()), "prefix lno (offer): expected lni (invoice)");
    let request = offer.to_string().replacen("lno", "lnr", 1);
    assert_eq!(reply(&request), "prefix lnr (invoice request): expected lni (invoice)");
    // An offer that asks to be paid cannot be promised as a payout.
    let sells = Offer::builder("s28", atm().x_only_public_key().0).amount("1sat".parse().unwrap());
    assert_eq!(
        Terms::draft(sells.build().unwrap()).unwrap_err().to_string(),
        "the offer does not pay out: it has no send_invoice",
    );
    // Nor is an invoice of merged BOLT 12 one of the draft (from Core Lightning's fetchinvoice manual).
    let merged = include_str!("../common/merged_invoice.txt").trim_end();
    assert_eq!(reply(merged), "type 0 at byte 0: unknown even type");
}

#[test]
fn listings_show_every_payout_once_page_by_page() {
    on_each_store(|stage| {
        let ledger = stage.ledger();
        let mut ids = Vec::new();
        for number in 0..25 {
            let (offer, id) = promised(&ledger, &format!("payout {number}"));
            ids.push(id);
            if number % 3 == 0 {
                drop(ledger.claim(&invoice(&offer, number), NOW).unwrap());
            }
        }
        let all = |filter: Filter<'_>| {
            let (mut found, mut after) = (Vec::new(), None);
            loop {
                let page = ledger
                    .page(filter, Order::OldestFirst, after.as_ref(), PageSize::new(4).unwrap())
                    .unwrap();
                assert!(page.payouts.len() <= 4);
                found.extend(page.payouts.into_iter().map(|payout| payout.unwrap().id()));
                match page.next {
                    Some(next) => after = Some(next),
                    None => return found,
                }
            }
        };
        assert_eq!(all(Filter::All), ids);
        let claimed: Vec<_> = ids.iter().copied().step_by(3).collect();
        assert_eq!(all(Filter::Status(Status::IN_FLIGHT)), claimed);
        let in_flight = ledger.in_flight(None, PageSize::MAX).unwrap().payouts;
        let in_flight: Vec<_> = in_flight.into_iter().map(Result::unwrap).collect();
        assert_eq!(in_flight.len(), 9);
        for (payout, number) in in_flight.iter().zip((0..).step_by(3)) {
            assert_eq!(ledger.by_payment_hash(hash(number)).unwrap().as_ref(), Some(payout));
        }
        assert_eq!(ledger.by_payment_hash(hash(1)).unwrap(), None);
        assert_eq!(ledger.get(PayoutId::from_byte_array([0; 32])).unwrap(), None);
        assert_eq!(ledger.history(ids[0], 1, PageSize::new(1).unwrap()).unwrap().len(), 1);
        assert_eq!(ledger.history(ids[0], 2, PageSize::MAX).unwrap(), []);
    });
}

#[test]
fn b9_the_longest_messages_are_kept_and_paid() {
    on_each_store(|stage| {
        let ledger = stage.ledger();
        // As long as offer and invoice, which repeats it, can both be.
        let description = "x".repeat(65_200);
        let offer = Offer::payout(&description, atm().x_only_public_key().0).amount(Amount::Any);
        let offer = offer.build().unwrap().sign(&atm()).unwrap();
        let id = ledger.create(&Terms::draft(offer.clone()).unwrap(), NOW).unwrap().into_payout().id();
        for number in 0..3 {
            let invoice = offer
                .respond(hash(number), payee().x_only_public_key().0)
                .amount(Msat::new(1).unwrap())
                .created_at(NOW)
                .sign(&payee())
                .unwrap();
            assert_eq!(ledger.claim(&invoice, NOW).unwrap().invoice(), invoice.as_bytes());
            ledger.release(hash(number), "", NOW).unwrap();
        }
        assert_eq!(history(&ledger, id).len(), 7);
    });
}

#[test]
fn garbage_never_reaches_the_ledger() {
    let good = invoice(&offer("garbage"), 1).to_string();
    let reply = |text: &str| text.parse::<Invoice>().unwrap_err().to_string();
    assert_eq!(reply(""), "no separator '1': expected a text that begins with lno1, lnr1, lni1 or lnp1");
    assert_eq!(reply("lni1"), "node_id (type 30): missing");
    assert_eq!(reply("lni1b"), "unexpected 'b' at byte 4: expected a character of the bech32 alphabet");
    assert_eq!(reply("lnbc1pvjluez"), "a BOLT 11 invoice for bitcoin: expected lni (invoice)");
    assert_eq!(reply(&format!("{good}qq")), "5 bits of padding at the end: expected at most 4");
    assert_eq!(
        reply(&"lni1".repeat(2)),
        "unexpected 'i' at byte 6: expected a character of the bech32 alphabet"
    );
    let huge = format!("lni1{}", "q".repeat(10_000_000));
    assert_eq!(reply(&huge), "a message of 6250000 bytes: expected at most 65535");
}

#[test]
fn an_invoice_for_another_chain_is_refused_with_the_right_one() {
    use bitcoin::constants::ChainHash;
    on_each_store(|stage| {
        let ledger = stage.ledger();
        let on = |chain| {
            let offer = Offer::payout("chain", atm().x_only_public_key().0).amount("100sat".parse().unwrap());
            offer.chain(chain).build().unwrap()
        };
        let testnet = on(ChainHash::TESTNET3);
        let id = ledger.create(&Terms::draft(testnet.clone()).unwrap(), NOW).unwrap().into_payout().id();
        // The builder does not write such an invoice, so the test writes it: bitcoin, as no chain is named.
        let mut writer = Writer::new();
        writer.record(4, &testnet.offer_id().to_byte_array());
        writer.tu64(8, 100_000);
        writer.record(10, b"chain");
        writer.record(30, &payee().x_only_public_key().0.serialize());
        writer.tu64(40, NOW);
        writer.record(42, &hash(1).to_byte_array());
        let invoice = signed(writer);
        let error = ledger.claim(&invoice, NOW).unwrap_err();
        let answer = error.invoice_error(&invoice);
        assert_eq!(answer.erroneous_field().unwrap().number(), 3);
        assert_eq!(answer.suggested_value(), Some(&ChainHash::TESTNET3.to_bytes()[..]));
        assert_eq!((payout(&ledger, id).version(), history(&ledger, id).len()), (1, 1));
    });
}

#[test]
fn the_payee_message_names_no_other_payment() {
    let ledger = Ledger::new(MemoryStore::new());
    let (offer, id) = promised(&ledger, "reply");
    drop(ledger.claim(&invoice(&offer, 1), NOW).unwrap());
    let reply = |number| {
        let invoice = invoice(&offer, number);
        ledger.claim(&invoice, NOW).unwrap_err().payee_message(&invoice)
    };
    assert_eq!(reply(1), "this invoice is being paid");
    assert_eq!(reply(2), "another invoice for this offer is being paid");
    ledger.release(hash(1), "no route", NOW).unwrap();
    assert_eq!(reply(1), "the payment of this invoice failed: send a new invoice");
    assert_eq!(payout(&ledger, id).status(), Status::Active);
    let other = invoice(&testkit::ledger::offer("other"), 5);
    let unknown = ledger.claim(&other, NOW).unwrap_err();
    assert_eq!(unknown.payee_message(&other), "unknown offer");
    assert_eq!(unknown.invoice_error(&other).erroneous_field().unwrap().number(), 4);
    let broken = ClaimError::Store(StoreError::failed("disk /dev/sda1"));
    assert_eq!(
        broken.payee_message(&other),
        "the outcome is unknown: send no other invoice before this one has expired"
    );
}
