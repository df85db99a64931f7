//! Which offer of a text a wallet can pay, and why none of them.

use bolt12::bitcoin::constants::ChainHash;
use bolt12::message::OfferContext;
use bolt12::secp256k1::{PublicKey, SECP256K1, SecretKey};
use bolt12::uri::{NoOffer, PaymentUri};
use bolt12::{Msat, Offer};

use super::OFFER;

const NOW: u64 = 1_760_000_000;

fn key() -> PublicKey {
    PublicKey::from_secret_key(SECP256K1, &SecretKey::from_slice(&[7; 32]).unwrap())
}

fn error(text: &str, context: &OfferContext) -> String {
    PaymentUri::parse(text).unwrap().choose_offer(context).unwrap_err().to_string()
}

#[test]
fn the_first_offer_that_fits_is_chosen() {
    let old = Offer::builder().description("old").absolute_expiry(NOW - 1).issuer_id(key()).build().unwrap();
    let other =
        Offer::builder().chain(ChainHash::SIGNET).description("signet").issuer_id(key()).build().unwrap();
    let text = format!("bitcoin:?lno=lno1pqpq&lno={old}&lno={other}&lno={OFFER}&lno={OFFER}&amount=0.5");
    let uri = PaymentUri::parse(&text).unwrap();
    let chosen = uri.choose_offer(&OfferContext::new(NOW)).unwrap();
    assert_eq!(chosen.offer().offer().to_string(), OFFER);
    assert_eq!(chosen.amount(), Some("0.5btc".parse().unwrap()));
    let chosen = uri.choose_offer(&OfferContext::new(NOW).on(ChainHash::SIGNET)).unwrap();
    assert_eq!(chosen.offer().offer(), &other);
    let chosen = uri.choose_offer(&OfferContext::new(NOW - 1)).unwrap();
    assert_eq!(chosen.offer().offer(), &old);
    // All reasons are there, in the order of the offers; the sentence has the first.
    let context = OfferContext::new(NOW).on(ChainHash::REGTEST);
    let Err(NoOffer::Refused(reasons)) = uri.choose_offer(&context) else { panic!("chosen") };
    let reasons: Vec<_> = reasons.iter().map(ToString::to_string).collect();
    assert_eq!(
        reasons,
        [
            "lno: at byte 0: type 8 cut off after 0 bytes: expected 2",
            "offer_chains (type 2): bitcoin, expected regtest",
            "offer_chains (type 2): signet, expected regtest",
            "offer_chains (type 2): bitcoin, expected regtest",
            "offer_chains (type 2): bitcoin, expected regtest",
        ]
    );
    assert_eq!(error(&text, &context), format!("no offer fits: {}", reasons[0]));
    assert_eq!(
        error(&format!("bitcoin:?lno={old}"), &OfferContext::new(NOW)),
        "no offer fits: offer_absolute_expiry (type 14): expired at 1759999999 (now 1760000000)"
    );
}

#[test]
fn the_amount_is_the_price_or_a_multiple_where_items_are_sold() {
    let context = OfferContext::new(NOW);
    let priced = |amount: u64, quantity: Option<u64>| {
        let offer = Offer::builder().amount(Msat::new(amount).unwrap()).description("x").issuer_id(key());
        match quantity {
            None => offer,
            Some(0) => offer.quantity_unlimited(),
            Some(most) => offer.quantity_max(most),
        }
        .build()
        .unwrap()
    };
    let fits = |offer: &Offer, btc: &str| {
        let uri = PaymentUri::parse(&format!("bitcoin:?lno={offer}&amount={btc}")).unwrap();
        uri.choose_offer(&context).map(|chosen| chosen.amount()).map_err(|error| error.to_string())
    };
    let one = priced(1_000_000, None);
    assert_eq!(fits(&one, "0.00001"), Ok(Some(Msat::new(1_000_000).unwrap())));
    assert_eq!(
        fits(&one, "0.00002"),
        Err("no offer fits: amount: 2000000msat, expected 1000000msat as in the offer".to_owned())
    );
    let few = priced(1_000_000, Some(3));
    assert!(
        fits(&few, "0.00003").is_ok() && fits(&few, "0.00004").is_err() && fits(&few, "0.000015").is_err()
    );
    let many = priced(1_000_000, Some(0));
    assert!(fits(&many, "0.00004").is_ok() && fits(&many, "0.000005").is_err());
    // A price in a currency cannot be compared with bitcoin.
    let dollars = Offer::builder()
        .amount_in("USD".parse().unwrap(), 1050)
        .description("x")
        .issuer_id(key())
        .build()
        .unwrap();
    assert_eq!(
        fits(&dollars, "0.00002"),
        Err("no offer fits: amount: 2000000msat, expected 10.50 USD as in the offer".to_owned())
    );
    let uri = PaymentUri::parse(&dollars.to_string()).unwrap();
    assert_eq!(uri.choose_offer(&context).unwrap().amount(), None);
}

#[test]
fn a_report_that_does_not_exist_cannot_be_required() {
    let context = OfferContext::new(NOW);
    assert_eq!(
        error(&format!("bitcoin:?lno={OFFER}&req-pop=app:"), &context),
        "req-pop: BIP 321 defines no report of a payment to an offer"
    );
    assert_eq!(error("bitcoin:?sp=x", &context), "no offer: expected one");
    assert_eq!(error("bitcoin:?lightning=lno1pqpq", &context), "no offer: expected one");
    let uri = PaymentUri::parse(&format!("bitcoin:?lno={OFFER}&pop=app:")).unwrap();
    assert!(uri.choose_offer(&context).is_ok());
}
