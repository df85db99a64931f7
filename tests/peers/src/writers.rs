//! Random calls of the builders: LDK reads each message that this crate writes and reads back, or a requirement
//! says why not. Each refusal follows from a requirement.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::LazyLock;

use bitcoin::Address;
use bitcoin::constants::ChainHash;
use bolt12::field::{Bip353Name, BlindedPath, BlindedPathBuf, Currency, Features, FieldErrorKind, PayInfo};
use bolt12::message::types::{ALL, SIGNATURE};
use bolt12::message::{InvoiceBuilder, InvoiceRequestBuilder, MultiPart, OfferBuilder};
use bolt12::sign::SignatureField;
use bolt12::tlv::Stream;
use bolt12::{BuildError, Invoice, InvoiceError, InvoiceRequest, Msat, Offer, ParseError, PayerKeys};
use lightning::ln::msgs::DecodeError;
use lightning::offers::invoice::Bolt12Invoice;
use lightning::offers::offer::Amount;
use lightning::offers::refund::Refund;
use lightning::util::ser::{Readable, Writeable};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestRng, TestRunner};

use super::differences::why_we_refuse;
use super::ldk;
use testkit::records::{ISSUER, PAYER, invoice, key, path, point};

/// How the calls of a run ended.
#[derive(Debug, Default)]
struct Verdicts {
    /// Written, and read by both.
    read_by_both: usize,
    /// Written, and refused by LDK for a reason.
    ldk_refuses: BTreeMap<&'static str, usize>,
    /// Not written, by field and kind of refusal.
    not_written: BTreeMap<String, usize>,
}

impl Verdicts {
    /// Notes a refusal, which some requirement has to ask for.
    fn refused(&mut self, error: &BuildError) -> Result<(), TestCaseError> {
        let rule = why_not_written(error);
        prop_assert!(rule.is_some(), "refused without a requirement: {}", error);
        *self.not_written.entry(rule.unwrap_or_default()).or_default() += 1;
        Ok(())
    }

    /// Notes what LDK says of a message that was written.
    fn judge<T, E: Debug>(
        &mut self,
        stream: Stream<'_>,
        theirs: Result<T, E>,
    ) -> Result<Option<T>, TestCaseError> {
        match theirs {
            Ok(read) => {
                self.read_by_both += 1;
                Ok(Some(read))
            }
            Err(error) => {
                let reason = why_ldk_refuses(stream);
                prop_assert!(reason.is_some(), "LDK refuses without a requirement: {:?}", error);
                *self.ldk_refuses.entry(reason.unwrap_or_default()).or_default() += 1;
                Ok(None)
            }
        }
    }

    fn written(&self) -> usize {
        self.read_by_both + self.ldk_refuses.values().sum::<usize>()
    }
}

/// The requirement that a refusal obeys, with the field and the kind.
fn why_not_written(error: &BuildError) -> Option<String> {
    let BuildError::Message(error) = error else {
        return matches!(error, BuildError::Signer(_))
            .then(|| "R-I-5: another key than the issuer's".to_owned());
    };
    let ParseError::Field(error) = error else {
        return None;
    };
    let rule = match (error.field().number(), error.kind()) {
        (_, FieldErrorKind::Nul) => "Core Lightning reads no NUL",
        (_, FieldErrorKind::OutOfRange { .. } | FieldErrorKind::UnknownEven) => "R-O-1, R-Q-9, R-I-3",
        (_, FieldErrorKind::Hops { .. }) => "R-O-29, R-Q-24, R-I-24",
        (0, FieldErrorKind::Empty) => "R-Q-10",
        (5, FieldErrorKind::Empty) => "R-X-1",
        (3, FieldErrorKind::Without { .. }) => "R-X-2",
        (8, FieldErrorKind::Zero) => "R-O-3",
        (8, FieldErrorKind::Without { .. }) => "R-O-5",
        (20, FieldErrorKind::Zero) => "R-O-12",
        (22, FieldErrorKind::MissingBoth { .. }) => "R-O-10",
        (80, FieldErrorKind::NotOffered { .. }) => "R-Q-2",
        (82, FieldErrorKind::Missing | FieldErrorKind::Zero | FieldErrorKind::TooLittle { .. }) => {
            "R-Q-4, R-Q-7"
        }
        (
            86,
            FieldErrorKind::Missing
            | FieldErrorKind::Zero
            | FieldErrorKind::Quantity { .. }
            | FieldErrorKind::Without { .. },
        ) => "R-Q-6",
        (86, FieldErrorKind::TooMuch { .. }) => "R-T-9",
        (14 | 18 | 90, FieldErrorKind::Beside { .. }) => "R-Q-1, R-Q-7",
        (91, FieldErrorKind::Without { .. } | FieldErrorKind::NotADnsName) => "R-Q-11",
        (240, FieldErrorKind::Missing) => "R-Q-3",
        (160, FieldErrorKind::Missing) => "R-I-10",
        (162, FieldErrorKind::NoUsablePath { .. }) => "R-I-26",
        (162, FieldErrorKind::NoPaymentFits { .. }) => "no payment fits the limits of the path",
        (170, FieldErrorKind::Missing | FieldErrorKind::Zero | FieldErrorKind::OtherAmount { .. }) => "R-I-2",
        (
            172,
            FieldErrorKind::NotSegwit
            | FieldErrorKind::NotAnAddress { .. }
            | FieldErrorKind::OtherNetwork { .. }
            | FieldErrorKind::NoAddresses { .. },
        ) => "R-I-9",
        (176, FieldErrorKind::NotAPathEnd { .. }) => "R-I-5",
        _ => return None,
    };
    let kind = format!("{:?}", error.kind());
    let kind = kind.split([' ', '{']).next().unwrap_or_default();
    Some(format!("{rule}: {} {kind}", error.field()))
}

/// The requirement by which LDK refuses what was written.
fn why_ldk_refuses(stream: Stream<'_>) -> Option<&'static str> {
    let has = |number: u64| stream.find(number).is_some();
    let is_request = has(88);
    if is_request && has(6) {
        return Some(
            "R-Q-33: a price in a currency is the payee's to convert; LDK 0.2 knows no currency there",
        );
    }
    if is_request && !has(160) && !has(22) && !has(16) && has(SIGNATURE.number()) {
        return Some(
            "R-Q-8 against R-Q-23: Core Lightning demands the signature of a request without an offer",
        );
    }
    None
}

const TEXTS: [&str; 8] = ["", "text", "a\0b", "\0", "₿ 1", "\u{202e}txt", "alice@example.com", "\n\t\u{7f}"];

fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => select(&TEXTS[..]).prop_map(str::to_owned),
        3 => "\\PC{1,40}",
        1 => (300usize..700).prop_map(|length| "x".repeat(length)),
    ]
}

fn chains() -> impl Strategy<Value = ChainHash> {
    let other = select(vec![
        ChainHash::TESTNET3,
        ChainHash::TESTNET4,
        ChainHash::SIGNET,
        ChainHash::REGTEST,
        ChainHash::from([9; 32]),
    ]);
    prop_oneof![2 => Just(ChainHash::BITCOIN), 1 => other]
}

fn amounts() -> impl Strategy<Value = Msat> {
    let msat = prop_oneof![
        12 => 1u64..10_000,
        1 => Just(0),
        3 => 1u64..=2_100_000_000_000_000_000,
        1 => Just(2_100_000_000_000_000_000),
    ];
    msat.prop_map(|msat| Msat::new(msat).unwrap())
}

fn quantities() -> impl Strategy<Value = u64> {
    prop_oneof![8 => 1u64..5, 1 => Just(0), 1 => any::<u64>()]
}

fn records(range: u64) -> impl Strategy<Value = (u64, Vec<u8>)> {
    let number = prop_oneof![
        6 => (0u64..1000).prop_map(move |number| range + 2 * number + 1),
        1 => select(vec![0, 33, 81, 91, 161, 239, 240, 241, 1001, range, range - 1, range + 999_999_999, u64::MAX]),
    ];
    (number, prop::collection::vec(any::<u8>(), 0..20))
}

/// Paths that end at the issuer, at others, with one hop and with 255, by node and by channel.
static PATHS: LazyLock<Vec<BlindedPathBuf>> = LazyLock::new(|| {
    let by_channel = [&[0, 0, 0, 1, 0, 0, 2, 0, 3][..], &path(0x31, 1)[33..]].concat();
    [path(0x31, 1), path(ISSUER, 2), path(0x32, 3), by_channel, path(0x31, 255)]
        .map(|path| BlindedPathBuf::try_from(&path[..]).unwrap())
        .into()
});

/// One of the paths, or the first without its hops.
fn a_path<'a>(index: usize) -> BlindedPath<'a> {
    PATHS.get(index).map(BlindedPathBuf::path).unwrap_or_else(|| {
        let mut path = PATHS[0].path();
        path.hops.clear();
        path
    })
}

fn path_indices() -> impl Strategy<Value = usize> {
    prop_oneof![36 => 0usize..4, 1 => Just(4), 3 => Just(5)]
}

#[derive(Clone, Debug)]
enum OfferCall {
    Chain(ChainHash),
    Metadata(Vec<u8>),
    Amount(Msat),
    AmountIn(Currency, u64),
    Description(String),
    Expiry(u64),
    Path(usize),
    Issuer(String),
    QuantityMax(u64),
    QuantityUnlimited,
    IssuerId,
    Record(u64, Vec<u8>),
}

fn offer_calls() -> impl Strategy<Value = Vec<OfferCall>> {
    let call = prop_oneof![
        2 => chains().prop_map(OfferCall::Chain),
        1 => prop::collection::vec(any::<u8>(), 0..300).prop_map(OfferCall::Metadata),
        2 => amounts().prop_map(OfferCall::Amount),
        1 => (select(vec!["USD", "JPY", "XYZ"]), quantities())
            .prop_map(|(code, units)| OfferCall::AmountIn(code.parse().unwrap(), units)),
        3 => texts().prop_map(OfferCall::Description),
        1 => any::<u64>().prop_map(OfferCall::Expiry),
        1 => path_indices().prop_map(OfferCall::Path),
        1 => texts().prop_map(OfferCall::Issuer),
        1 => quantities().prop_map(OfferCall::QuantityMax),
        1 => Just(OfferCall::QuantityUnlimited),
        1 => records(1_000_000_000).prop_map(|(number, value)| OfferCall::Record(number, value)),
    ];
    (prop::collection::vec(call, 0..8), prop::option::weighted(0.7, Just(OfferCall::IssuerId))).prop_map(
        |(mut calls, issuer_id)| {
            calls.extend(issuer_id);
            calls
        },
    )
}

fn offer_builder(calls: &[OfferCall]) -> OfferBuilder<'_> {
    calls.iter().fold(Offer::builder(), |builder, call| match call {
        OfferCall::Chain(chain) => builder.chain(*chain),
        OfferCall::Metadata(metadata) => builder.metadata(metadata),
        OfferCall::Amount(amount) => builder.amount(*amount),
        OfferCall::AmountIn(currency, units) => builder.amount_in(*currency, *units),
        OfferCall::Description(text) => builder.description(text),
        OfferCall::Expiry(seconds) => builder.absolute_expiry(*seconds),
        OfferCall::Path(index) => builder.path(a_path(*index)),
        OfferCall::Issuer(text) => builder.issuer(text),
        OfferCall::QuantityMax(items) => builder.quantity_max(*items),
        OfferCall::QuantityUnlimited => builder.quantity_unlimited(),
        OfferCall::IssuerId => builder.issuer_id(point(ISSUER)),
        OfferCall::Record(number, value) => builder.record(*number, value),
    })
}

/// The offer of these calls, or one that any payer can pay.
fn an_offer(calls: &[OfferCall]) -> Offer {
    let plain = || Offer::builder().issuer_id(point(ISSUER)).build().unwrap();
    offer_builder(calls).build().unwrap_or_else(|_| plain())
}

#[derive(Clone, Debug)]
enum RequestCall {
    Chain(ChainHash),
    Amount(Msat),
    Quantity(u64),
    Note(String),
    Name(String),
    Path(usize),
    Expiry(u64),
    Issuer(String),
    Record(u64, Vec<u8>),
}

/// How a request is finished.
#[derive(Clone, Copy, Debug)]
enum Finish {
    Sign,
    Unsigned,
    KeysSign,
    KeysUnsigned,
}

/// What a request is about, what is called, and how it is finished.
#[derive(Clone, Debug)]
struct RequestPlan {
    offer: Option<Vec<OfferCall>>,
    description: String,
    owed: Msat,
    calls: Vec<RequestCall>,
    metadata: Vec<u8>,
    finish: Finish,
}

fn request_plans() -> impl Strategy<Value = RequestPlan> {
    let name = prop_oneof![
        3 => "[a-z0-9._-]{1,12}@[a-zA-Z0-9-]{1,12}\\.[a-z]{1,5}\\.?",
        1 => "[a-z]{60,66}@[a-z]{160,170}\\.com",
    ];
    let call = prop_oneof![
        1 => chains().prop_map(RequestCall::Chain),
        4 => amounts().prop_map(RequestCall::Amount),
        2 => quantities().prop_map(RequestCall::Quantity),
        1 => texts().prop_map(RequestCall::Note),
        1 => name.prop_map(RequestCall::Name),
        1 => path_indices().prop_map(RequestCall::Path),
        1 => any::<u64>().prop_map(RequestCall::Expiry),
        1 => texts().prop_map(RequestCall::Issuer),
        1 => records(2_000_000_000).prop_map(|(number, value)| RequestCall::Record(number, value)),
    ];
    let finish = prop_oneof![
        3 => Just(Finish::Sign),
        2 => Just(Finish::Unsigned),
        2 => Just(Finish::KeysSign),
        2 => Just(Finish::KeysUnsigned),
    ];
    (
        prop::option::weighted(0.6, offer_calls()),
        texts(),
        amounts(),
        prop::collection::vec(call, 0..4),
        prop_oneof![19 => prop::collection::vec(any::<u8>(), 1..80), 1 => Just(Vec::new())],
        finish,
    )
        .prop_map(|(offer, description, owed, calls, metadata, finish)| RequestPlan {
            offer,
            description,
            owed,
            calls,
            metadata,
            finish,
        })
}

impl RequestPlan {
    fn build(&self) -> Result<InvoiceRequest, BuildError> {
        let offer = self.offer.as_deref().map(an_offer);
        let builder: InvoiceRequestBuilder<'_> = match &offer {
            Some(offer) => offer.request_invoice(),
            None => InvoiceRequest::without_offer(&self.description, self.owed),
        };
        let builder = self.calls.iter().fold(builder, |builder, call| match call {
            RequestCall::Chain(chain) => builder.chain(*chain),
            RequestCall::Amount(amount) => builder.amount(*amount),
            RequestCall::Quantity(items) => builder.quantity(*items),
            RequestCall::Note(text) => builder.payer_note(text),
            RequestCall::Name(name) => match Bip353Name::new(name) {
                Ok(name) => builder.bip_353_name(name),
                Err(_) => builder,
            },
            RequestCall::Path(index) => builder.path(a_path(*index)),
            RequestCall::Expiry(seconds) => builder.absolute_expiry(*seconds),
            RequestCall::Issuer(text) => builder.issuer(text),
            RequestCall::Record(number, value) => builder.record(*number, value),
        });
        let keys = PayerKeys::new([7; 32]);
        match self.finish {
            Finish::Sign => builder.sign(&key(PAYER), &self.metadata),
            Finish::Unsigned => builder.unsigned(point(PAYER), &self.metadata),
            Finish::KeysSign => keys.sign(&builder, &self.metadata),
            Finish::KeysUnsigned => keys.unsigned(&builder, &self.metadata),
        }
    }

    /// The request, or one that can be answered.
    fn request(&self) -> InvoiceRequest {
        let plain = || {
            let amount = Msat::new(1000).unwrap();
            InvoiceRequest::without_offer("refund", amount).unsigned(point(PAYER), &[1; 16]).unwrap()
        };
        self.build().unwrap_or_else(|_| plain())
    }
}

#[derive(Clone, Debug)]
enum InvoiceCall {
    Path(usize, u64, Vec<u8>),
    Amount(Msat),
    RelativeExpiry(u32),
    Fallback(&'static str),
    MultiPart(MultiPart),
    Record(u64, Vec<u8>),
}

const ADDRESSES: [&str; 7] = [
    "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
    "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0",
    "bc1pfeessrawgf",
    "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
    "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx",
    "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080",
    "bc1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3qccfmv3",
];

fn invoice_calls() -> impl Strategy<Value = (Vec<InvoiceCall>, u8, u64)> {
    let features =
        prop_oneof![4 => Just(vec![]), 1 => Just(vec![2]), 1 => Just(vec![1]), 1 => Just(vec![0, 0])];
    let parts = select(vec![MultiPart::Forbidden, MultiPart::Allowed, MultiPart::Required]);
    let call = prop_oneof![
        6 => (path_indices(), prop_oneof![9 => 1..u64::MAX, 1 => Just(0)], features)
            .prop_map(|(index, most, features)| InvoiceCall::Path(index, most, features)),
        1 => amounts().prop_map(InvoiceCall::Amount),
        1 => any::<u32>().prop_map(InvoiceCall::RelativeExpiry),
        2 => select(&ADDRESSES[..]).prop_map(InvoiceCall::Fallback),
        1 => parts.prop_map(InvoiceCall::MultiPart),
        1 => records(3_000_000_000).prop_map(|(number, value)| InvoiceCall::Record(number, value)),
    ];
    let signer = select(vec![ISSUER, ISSUER, ISSUER, 0x31, 0x66]);
    (prop::collection::vec(call, 0..6), signer, any::<u64>())
}

fn invoice_builder<'a>(
    request: &'a InvoiceRequest,
    created_at: u64,
    calls: &'a [InvoiceCall],
) -> InvoiceBuilder<'a> {
    calls.iter().fold(request.respond([0x33; 32].into(), created_at), |builder, call| match call {
        InvoiceCall::Path(index, most, features) => {
            let features = Features::new(features);
            let costs = PayInfo { htlc_maximum_msat: *most, features, ..PayInfo::default() };
            builder.path(a_path(*index), costs)
        }
        InvoiceCall::Amount(amount) => builder.amount(*amount),
        InvoiceCall::RelativeExpiry(seconds) => builder.relative_expiry(*seconds),
        InvoiceCall::Fallback(address) => {
            builder.fallback(&address.parse::<Address<_>>().unwrap().assume_checked())
        }
        InvoiceCall::MultiPart(multi_part) => builder.multi_part(*multi_part),
        InvoiceCall::Record(number, value) => builder.record(*number, value),
    })
}

/// What the other reader has to find of the offer's fields.
fn same_offer_fields(ours: &Offer, theirs: &lightning::offers::offer::Offer) -> Result<(), TestCaseError> {
    prop_assert_eq!(ours.offer_chains().collect::<Vec<_>>(), theirs.chains());
    prop_assert_eq!(ours.offer_metadata(), theirs.metadata().map(|metadata| &metadata[..]));
    let amount = theirs.amount().map(|amount| match amount {
        Amount::Bitcoin { amount_msats } => (None, amount_msats),
        Amount::Currency { iso4217_code, amount } => {
            (std::str::from_utf8(iso4217_code.as_bytes()).unwrap().parse().ok(), amount)
        }
    });
    prop_assert_eq!(ours.offer_amount().map(|amount| (ours.offer_currency(), amount)), amount);
    prop_assert_eq!(
        ours.offer_description().map(|text| text.as_str()),
        theirs.description().map(|text| text.0)
    );
    prop_assert_eq!(ours.offer_issuer().map(|text| text.as_str()), theirs.issuer().map(|text| text.0));
    prop_assert_eq!(ours.offer_absolute_expiry(), theirs.absolute_expiry().map(|expiry| expiry.as_secs()));
    prop_assert_eq!(ours.offer_paths().count(), theirs.paths().len());
    prop_assert_eq!(ours.offer_issuer_id(), theirs.issuer_signing_pubkey());
    Ok(())
}

/// Runs `cases` cases of one strategy; every run of the same number is the same.
fn run<S: Strategy>(
    cases: u32,
    strategy: &S,
    test: impl Fn(S::Value, &mut Verdicts) -> Result<(), TestCaseError>,
) -> Verdicts {
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let rng = TestRng::deterministic_rng(config.rng_algorithm);
    let verdicts = RefCell::new(Verdicts::default());
    let mut runner = TestRunner::new_with_rng(config, rng);
    if let Err(error) = runner.run(strategy, |plan| test(plan, &mut verdicts.borrow_mut())) {
        panic!("{error}");
    }
    verdicts.into_inner()
}

fn offers(cases: u32) -> Verdicts {
    run(cases, &offer_calls(), |calls, verdicts| {
        let offer = match offer_builder(&calls).build() {
            Ok(offer) => offer,
            Err(error) => return verdicts.refused(&error),
        };
        prop_assert_eq!(&offer.to_string().parse::<Offer>().unwrap(), &offer);
        let theirs = lightning::offers::offer::Offer::try_from(offer.as_bytes().to_vec());
        if let Some(theirs) = verdicts.judge(offer.stream(), theirs)? {
            prop_assert_eq!(theirs.to_string(), offer.to_string());
            same_offer_fields(&offer, &theirs)?;
        }
        Ok(())
    })
}

fn requests(cases: u32) -> Verdicts {
    run(cases, &request_plans(), |plan, verdicts| {
        let request = match plan.build() {
            Ok(request) => request,
            Err(error) => return verdicts.refused(&error),
        };
        prop_assert_eq!(&request.to_string().parse::<InvoiceRequest>().unwrap(), &request);
        let bytes = request.as_bytes().to_vec();
        if request.has_offer() {
            let theirs = lightning::offers::invoice_request::InvoiceRequest::try_from(bytes);
            if let Some(theirs) = verdicts.judge(request.stream(), theirs)? {
                prop_assert_eq!(theirs.encode(), request.as_bytes());
                prop_assert_eq!(theirs.chain(), request.invreq_chain());
                prop_assert_eq!(theirs.amount_msats(), request.amount_to_pay().map(Msat::get));
                prop_assert_eq!(theirs.quantity(), request.invreq_quantity());
                prop_assert_eq!(theirs.payer_signing_pubkey(), request.invreq_payer_id());
                let note = theirs.payer_note();
                prop_assert_eq!(
                    note.map(|note| note.0),
                    request.invreq_payer_note().map(|note| note.as_str())
                );
            }
        } else if let Some(theirs) = verdicts.judge(request.stream(), Refund::try_from(bytes))? {
            prop_assert_eq!(theirs.to_string(), request.to_string());
            prop_assert_eq!(theirs.chain(), request.invreq_chain());
            prop_assert_eq!(Some(theirs.amount_msats()), request.invreq_amount().map(Msat::get));
            prop_assert_eq!(theirs.description().0, request.offer_description().unwrap().as_str());
            prop_assert_eq!(theirs.paths().len(), request.invreq_paths().count());
        }
        Ok(())
    })
}

fn invoices(cases: u32) -> Verdicts {
    run(cases, &(request_plans(), invoice_calls()), |(plan, (calls, signer, created_at)), verdicts| {
        let request = plan.request();
        let invoice = match invoice_builder(&request, created_at, &calls).sign(&key(signer)) {
            Ok(invoice) => invoice,
            Err(error) => return verdicts.refused(&error),
        };
        prop_assert_eq!(&invoice.to_string().parse::<Invoice>().unwrap(), &invoice);
        let theirs = Bolt12Invoice::try_from(invoice.as_bytes().to_vec());
        if let Some(theirs) = verdicts.judge(invoice.stream(), theirs)? {
            prop_assert_eq!(theirs.encode(), invoice.as_bytes());
            prop_assert_eq!(theirs.amount_msats(), invoice.invoice_amount().get());
            prop_assert_eq!(theirs.created_at().as_secs(), invoice.invoice_created_at());
            prop_assert_eq!(theirs.relative_expiry().as_secs(), u64::from(invoice.invoice_relative_expiry()));
            prop_assert_eq!(theirs.payment_hash().0, invoice.invoice_payment_hash().to_byte_array());
            prop_assert_eq!(theirs.signing_pubkey(), invoice.invoice_node_id());
            prop_assert_eq!(theirs.payment_paths().len(), invoice.invoice_paths().count());
            let given = calls.iter().filter_map(|call| match call {
                InvoiceCall::Fallback(address) => {
                    Some(address.parse::<Address<_>>().unwrap().assume_checked())
                }
                _ => None,
            });
            let fallbacks: Vec<Address> = invoice.fallback_addresses().collect();
            prop_assert_eq!(&fallbacks, &given.collect::<Vec<_>>());
            // R-I-34 has a payer skip what it does not know: LDK 0.2 knows no addresses of testnet4.
            let known = invoice.invreq_chain() != ChainHash::TESTNET4;
            prop_assert_eq!(theirs.fallbacks(), if known { fallbacks } else { Vec::new() });
            let several = invoice.multi_part() != MultiPart::Forbidden;
            prop_assert_eq!(theirs.invoice_features().supports_basic_mpp(), several);
        }
        Ok(())
    })
}

fn invoice_errors(cases: u32) -> Verdicts {
    let mut fields = ALL.to_vec();
    fields.extend(fields.clone().into_iter().take(3));
    let value = prop_oneof![
        3 => prop::collection::vec(any::<u8>(), 0..10),
        2 => texts().prop_map(String::into_bytes),
        1 => path_indices().prop_map(|index| path(0x31, u8::try_from(index).unwrap())),
        1 => (1u8..100).prop_map(|byte| point(byte).serialize().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 32),
        1 => prop::collection::vec(any::<u8>(), 64),
    ];
    let field = prop::option::weighted(0.8, select(fields));
    run(cases, &(texts(), field, prop::option::of(value)), |(text, field, value), verdicts| {
        let mut builder = InvoiceError::builder(&text);
        if let Some(field) = field {
            builder = builder.erroneous_field(field);
        }
        if let Some(value) = &value {
            builder = builder.suggested_value(value);
        }
        let ours = match builder.build() {
            Ok(ours) => ours,
            // A value that no message could have in that field: no invoice that LDK reads has it.
            Err(BuildError::Message(ParseError::Field(error)))
                if Some(error.field()) == field && error.offset().is_some() =>
            {
                let number = error.field().number();
                let records = invoice().with(number, value.unwrap_or_default());
                let bytes = match number {
                    240 => records.bytes(),
                    _ => records.signed(SignatureField::INVOICE, &key(ISSUER)),
                };
                let reason = match Bolt12Invoice::try_from(bytes) {
                    Err(_) => Some("no invoice of LDK's has it"),
                    Ok(_) if matches!(error.kind(), FieldErrorKind::Nul) => {
                        Some("Core Lightning reads no NUL")
                    }
                    Ok(_) => why_we_refuse(&error.to_string()),
                };
                prop_assert!(reason.is_some(), "LDK reads what is not suggested: {}", error);
                let rule = format!("R-X-3: {}", reason.unwrap_or_default());
                *verdicts.not_written.entry(rule).or_default() += 1;
                return Ok(());
            }
            Err(error) => return verdicts.refused(&error),
        };
        prop_assert_eq!(&InvoiceError::try_from(ours.as_bytes().to_vec()).unwrap(), &ours);
        // Inside an onion message LDK has a length before the stream.
        let mut framed = Vec::new();
        bolt12::tlv::bigsize::write(u64::try_from(ours.as_bytes().len()).unwrap(), &mut framed);
        framed.extend(ours.as_bytes());
        let theirs: Result<lightning::offers::invoice_error::InvoiceError, DecodeError> =
            Readable::read(&mut &framed[..]);
        if let Some(theirs) = verdicts.judge(ours.stream(), theirs)? {
            prop_assert_eq!(theirs.encode(), framed);
            prop_assert_eq!(&theirs.message.0, &text);
            let number = theirs.erroneous_field.as_ref().map(|field| field.tlv_fieldnum);
            prop_assert_eq!(number, field.map(|field| field.number()));
            prop_assert_eq!(theirs.erroneous_field.and_then(|field| field.suggested_value), value);
        }
        Ok(())
    })
}

/// A run is worth something only if much is written and much is refused.
fn enough(verdicts: &Verdicts, cases: u32) {
    let refused: usize = verdicts.not_written.values().sum();
    let cases = usize::try_from(cases).unwrap();
    assert_eq!(verdicts.written() + refused, cases, "{verdicts:#?}");
    assert!(verdicts.written() > cases / 10 && refused > cases / 10, "{verdicts:#?}");
}

#[test]
fn offers_that_are_written_are_read() {
    enough(&offers(1000), 1000);
}

#[test]
fn requests_that_are_written_are_read() {
    enough(&requests(1000), 1000);
}

#[test]
fn invoices_that_are_written_are_read() {
    enough(&invoices(1000), 1000);
}

#[test]
fn invoice_errors_that_are_written_are_read() {
    enough(&invoice_errors(1000), 1000);
}

/// The same at length, with its counts on stderr: `cargo test --test ldk_peer at_length -- --ignored --nocapture`.
#[test]
#[ignore = "takes minutes"]
#[allow(clippy::print_stderr, reason = "the counts are what it is run for")]
fn everything_written_is_read_at_length() {
    const CASES: u32 = 50_000;
    type Run = fn(u32) -> Verdicts;
    let runs: [(&str, Run); 4] = [
        ("offers", offers),
        ("invoice_requests", requests),
        ("invoices", invoices),
        ("invoice_errors", invoice_errors),
    ];
    for (name, run) in runs {
        let verdicts = run(CASES);
        enough(&verdicts, CASES);
        eprintln!("{name}: {} written, {verdicts:#?}", verdicts.written());
    }
}

/// What `OfferBuilder::record` says of LDK's payers.
#[test]
fn an_ldk_payer_does_not_recognise_the_invoice_for_an_offer_with_a_record_of_its_own() {
    let recognised = |builder: OfferBuilder<'_>| {
        let offer = builder.issuer_id(point(ISSUER)).build().unwrap();
        let theirs: lightning::offers::offer::Offer = offer.to_string().parse().unwrap();
        let bytes = ldk::request(&theirs, ChainHash::BITCOIN, Some(1000), None, None);
        let request = InvoiceRequest::try_from(bytes).unwrap();
        let invoice = request
            .respond([0x33; 32].into(), ldk::CREATED)
            .path(a_path(0), PayInfo::default())
            .sign(&key(ISSUER))
            .unwrap();
        let theirs = Bolt12Invoice::try_from(invoice.as_bytes().to_vec()).unwrap();
        let (nonce, keys) = (ldk::nonce(), ldk::payer_key());
        theirs.verify_using_payer_data(ldk::PAYMENT_ID, nonce, &keys, secp256k1::SECP256K1)
    };
    assert_eq!(recognised(Offer::builder()), Ok(ldk::PAYMENT_ID));
    assert_eq!(recognised(Offer::builder().record(1_000_000_001, b"own")), Err(()));
}
