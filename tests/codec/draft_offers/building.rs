//! What the builder writes, and what it refuses to.

use bitcoin::constants::ChainHash;
use bolt12::draft::{Offer, OfferBuilder};
use bolt12::text::MAX_MESSAGE_LEN;
use bolt12::{Amount, BuildError, Msat, ParseError};

use super::{id_of, key};

fn refusal(builder: &OfferBuilder<'_>) -> String {
    builder.build().unwrap_err().to_string()
}

#[test]
fn what_a_writer_must_not_write() {
    let node_id = id_of(&key(7));
    let payout = || Offer::payout("x", node_id);
    for (builder, message) in [
        (payout().amount(Amount::Msat(Msat::ZERO)), "amount (type 8): zero, it must be positive"),
        (payout().issuer("a\0b"), "issuer (type 20) at byte 6: a NUL character in a text"),
        (Offer::payout("\0", node_id), "description (type 10) at byte 2: a NUL character in a text"),
        (
            Offer::builder("x", node_id).refund_for([1; 32].into()),
            "refund_for (type 34): present without send_invoice (type 54)",
        ),
        (payout().quantity_min(1), "quantity_min (type 22): not allowed with send_invoice (type 54)"),
        (payout().quantity_max(1), "quantity_max (type 24): not allowed with send_invoice (type 54)"),
    ] {
        assert_eq!(refusal(&builder), message);
    }
}

#[test]
fn an_ordinary_offer_may_have_quantities() {
    let offer = Offer::builder("x", id_of(&key(7))).quantity_min(1).quantity_max(9).build().unwrap();
    assert_eq!((offer.quantity_min(), offer.quantity_max(), offer.send_invoice()), (Some(1), Some(9), false));
}

#[test]
fn chains_are_written_unless_bitcoin_is_the_only_one() {
    let built = |chains: &[ChainHash]| {
        let builder =
            chains.iter().fold(Offer::payout("x", id_of(&key(7))), |builder, chain| builder.chain(*chain));
        builder.build().unwrap()
    };
    let written = |offer: &Offer| offer.stream().find(2).map(|record| record.value().to_vec());
    assert_eq!(written(&built(&[])), None);
    assert_eq!(written(&built(&[ChainHash::BITCOIN])), None);
    let both = [ChainHash::BITCOIN, ChainHash::SIGNET];
    assert_eq!(written(&built(&both)), Some(both.map(|chain| chain.to_bytes()).concat()));
    assert_eq!(built(&both).chains().collect::<Vec<_>>(), both);
}

/// Records of an offer with a description of `length` bytes: 2 + 3 for its head, 34 node_id, 2 send_invoice.
fn of_length(total: usize) -> Result<Offer, BuildError> {
    let description = "d".repeat(total - 4 - 34 - 2);
    Offer::payout(&description, id_of(&key(7))).build()
}

#[test]
fn the_longest_offer_is_65535_bytes() {
    let longest = of_length(MAX_MESSAGE_LEN).unwrap();
    assert_eq!(longest.as_bytes().len(), 65_535);
    assert_eq!(longest.to_string().parse(), Ok(longest.clone()));
    let message = "a message of 65536 bytes: expected at most 65535";
    assert_eq!(of_length(MAX_MESSAGE_LEN + 1).unwrap_err().to_string(), message);
    let bytes = [longest.as_bytes(), &[0x37, 0x00]].concat();
    assert_eq!(Offer::try_from(bytes), Err(ParseError::TooLong { length: 65_537 }));

    // A signature takes 66 bytes more.
    assert_eq!(
        longest.sign(&key(7)).unwrap_err().to_string(),
        "a message of 65601 bytes: expected at most 65535"
    );
    let signed = of_length(MAX_MESSAGE_LEN - 66).unwrap().sign(&key(7)).unwrap();
    assert_eq!(signed.as_bytes().len(), 65_535);
    assert_eq!(signed.to_string().parse(), Ok(signed));
}
