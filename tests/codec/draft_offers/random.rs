//! Random offers, printed and read again; random bytes, read.

use std::collections::BTreeMap;

use bitcoin::constants::ChainHash;
use bolt12::draft::Offer;
use bolt12::{Amount, Msat};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::{id_of, key, record};

/// What a random offer has, besides what every offer has.
#[derive(Clone, Debug)]
struct Said {
    chains: Vec<ChainHash>,
    amount: Option<u64>,
    description: String,
    issuer: Option<String>,
    expiry: Option<u64>,
    refund_for: Option<[u8; 32]>,
    unknown: Option<(u64, Vec<u8>)>,
    key: u8,
}

fn said() -> impl Strategy<Value = Said> {
    let text = "[^\0]{0,60}";
    let chain = prop_oneof![Just(ChainHash::BITCOIN), Just(ChainHash::SIGNET), Just(ChainHash::REGTEST)];
    let unknown =
        (prop_oneof![31..70u64, 1001..2000u64].prop_map(|number| number | 1), vec(any::<u8>(), 0..300));
    (
        vec(chain, 0..3),
        option::of(1..=Msat::MAX.get()),
        text,
        option::of(text),
        option::of(any::<u64>()),
        option::of(any::<[u8; 32]>()),
        option::of(unknown),
        1..=254u8,
    )
        .prop_map(|(chains, amount, description, issuer, expiry, refund_for, unknown, key)| Said {
            chains,
            amount,
            description,
            issuer,
            expiry,
            refund_for,
            unknown,
            key,
        })
}

fn built(said: &Said) -> Offer {
    let mut builder = Offer::payout(&said.description, id_of(&key(said.key)));
    builder = said.chains.iter().fold(builder, |builder, chain| builder.chain(*chain));
    builder = builder.amount(said.amount.map_or(Amount::Any, |msat| Amount::Msat(Msat::new(msat).unwrap())));
    if let Some(issuer) = &said.issuer {
        builder = builder.issuer(issuer);
    }
    if let Some(expiry) = said.expiry {
        builder = builder.absolute_expiry(expiry);
    }
    if let Some(hash) = said.refund_for {
        builder = builder.refund_for(hash.into());
    }
    builder.build().unwrap()
}

proptest! {
    #[test]
    fn built_printed_and_read_again_it_says_the_same(said in said()) {
        let mut offer = built(&said);
        if let Some((number, value)) = &said.unknown {
            let mut records: BTreeMap<_, _> =
                offer.stream().records().map(|record| (record.number(), record.raw().to_vec())).collect();
            records.insert(*number, record(*number, value));
            offer = Offer::try_from(records.into_values().flatten().collect::<Vec<_>>()).unwrap();
            let kept: Vec<_> = offer.unknown_records().map(|record| (record.number(), record.value().to_vec())).collect();
            prop_assert_eq!(kept, [(*number, value.clone())]);
        }
        let signed = offer.sign(&key(said.key)).unwrap();
        prop_assert_eq!(&signed.unsigned(), &offer);
        for offer in [&offer, &signed] {
            let read: Offer = offer.to_string().parse().unwrap();
            prop_assert_eq!(&read, offer);
            prop_assert_eq!(format!("{offer:#}").parse::<Offer>(), Ok(offer.clone()));
            prop_assert_eq!(Offer::try_from(offer.as_bytes().to_vec()), Ok(offer.clone()));
            prop_assert_eq!(read.offer_id(), signed.offer_id());
            prop_assert_eq!(read.amount(), said.amount);
            prop_assert_eq!(read.description().unwrap(), said.description.as_str());
            prop_assert_eq!(read.issuer().map(|issuer| issuer.as_str()), said.issuer.as_deref());
            prop_assert_eq!((read.absolute_expiry(), read.refund_for()), (said.expiry, said.refund_for.map(Into::into)));
            prop_assert_eq!((read.send_invoice(), read.signature()), (true, offer.signature()));
        }
    }

    /// Everything that is read is written back byte for byte, and its unsigned form is read too.
    #[test]
    fn no_bytes_panic(records in vec((0..70u64, vec(any::<u8>(), 0..40)), 0..6), tail in vec(any::<u8>(), 0..4)) {
        let ascending: BTreeMap<_, _> = records.into_iter().collect();
        let mut bytes: Vec<u8> = ascending.iter().flat_map(|(number, value)| record(*number, value)).collect();
        bytes.extend(tail);
        if let Ok(offer) = Offer::try_from(bytes.clone()) {
            prop_assert_eq!(offer.as_bytes(), bytes);
            prop_assert_eq!(offer.to_string().parse(), Ok(offer.clone()));
            prop_assert_eq!(offer.unsigned().to_string().parse(), Ok(offer.unsigned()));
        }
    }
}
