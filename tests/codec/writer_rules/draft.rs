//! What the draft's builders refuse, each with its control.

use bolt12::draft::{Invoice, InvoiceBuilder, Offer, OfferBuilder};
use bolt12::{Amount, Msat};
use secp256k1::XOnlyPublicKey;

use testkit::records::{Records, key};

fn msat(amount: u64) -> Msat {
    Msat::new(amount).unwrap()
}

fn node_id() -> XOnlyPublicKey {
    key(7).x_only_public_key().0
}

fn payout(amount: Option<u64>) -> Offer {
    let builder = Offer::payout("x", node_id());
    amount.map_or(builder.clone(), |amount| builder.amount(Amount::Msat(msat(amount)))).build().unwrap()
}

fn answer(offer: &Offer) -> InvoiceBuilder<'_> {
    offer.respond([1; 32].into(), key(8).x_only_public_key().0).created_at(1)
}

fn refused(builder: &InvoiceBuilder<'_>) -> String {
    builder.sign(&key(8)).unwrap_err().to_string()
}

/// Signs the invoice, which this crate reads back.
fn written(builder: &InvoiceBuilder<'_>) -> Invoice {
    let invoice = builder.sign(&key(8)).unwrap();
    assert_eq!(invoice.to_string().parse::<Invoice>().unwrap(), invoice);
    invoice
}

#[test]
fn an_invoice_is_not_for_nothing() {
    let zero = "amount (type 8): zero, it must be positive";
    let (any, fixed) = (payout(None), payout(Some(1000)));
    assert_eq!(refused(&answer(&any).amount(Msat::ZERO)), zero);
    assert_eq!(refused(&answer(&fixed).amount(Msat::ZERO)), zero);
    // An offer for nothing, written elsewhere, and one for no items.
    let records = Records::default().with(10, b"x").with(30, node_id().serialize()).with(54, []);
    let free = Offer::try_from(records.clone().int(8, 0).bytes()).unwrap();
    assert_eq!(refused(&answer(&free)), zero);
    let none = Offer::try_from(records.int(8, 5).int(22, 0).bytes()).unwrap();
    assert_eq!(refused(&answer(&none).quantity(0)), zero);
    // A refund's invoice is held to it too.
    let refund = Offer::payout("x", node_id()).refund_for([2; 32].into()).build().unwrap();
    let error = answer(&refund).amount(Msat::ZERO).sign_refund(&key(8), &key(9)).unwrap_err();
    assert_eq!(error.to_string(), zero);
    // Control.
    assert_eq!(written(&answer(&any).amount(msat(1))).amount(), Some(1));
    assert_eq!(written(&answer(&fixed)).amount(), Some(1000));
    assert_eq!(written(&answer(&none).quantity(1)).amount(), Some(5));
}

#[test]
fn cltv_has_sixteen_bits() {
    let offer = payout(Some(1000));
    for blocks in [65_536, u32::MAX] {
        assert_eq!(refused(&answer(&offer).cltv(blocks)), "cltv (type 46): outside its limits, 0 to 65535");
    }
    // Control.
    assert_eq!(written(&answer(&offer).cltv(65_535)).cltv(), Some(65_535));
    assert_eq!(written(&answer(&offer).cltv(0)).cltv(), Some(0));
}

#[test]
fn another_amount_than_the_offers_is_written_as_core_lightning_does() {
    let offer = payout(Some(1000));
    assert_eq!(written(&answer(&offer).amount(msat(1500))).amount(), Some(1500));
    // Control: unless set it is the offer's.
    assert_eq!(written(&answer(&offer)).amount(), Some(1000));
}

#[test]
fn quantities_of_an_offer_are_a_range_of_at_least_one() {
    let offer = || Offer::builder("x", node_id());
    let refused = |builder: OfferBuilder<'_>| builder.build().unwrap_err().to_string();
    for (min, max) in [(5, 2), (2, 1), (u64::MAX, 1)] {
        assert_eq!(
            refused(offer().quantity_min(min).quantity_max(max)),
            format!("quantity_min (type 22): {min}, expected at most the {max} of quantity_max (type 24)")
        );
    }
    let zero = |name: &str| format!("{name}: zero, it must be positive");
    assert_eq!(refused(offer().quantity_min(0)), zero("quantity_min (type 22)"));
    assert_eq!(refused(offer().quantity_max(0)), zero("quantity_max (type 24)"));
    // Control.
    for (min, max) in [(2, 5), (2, 2), (1, u64::MAX)] {
        let offer = offer().quantity_min(min).quantity_max(max).build().unwrap();
        assert_eq!((offer.quantity_min(), offer.quantity_max()), (Some(min), Some(max)));
    }
    assert!(offer().quantity_min(5).build().is_ok());
    assert!(offer().quantity_max(5).build().is_ok());
}
