//! Budgets: claims keep a limit in each window of time, together and in the same step that writes them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread;

use bolt12::Msat;
use bolt12::draft::Offer;
use bolt12::payout::store::Label;
use bolt12::payout::{
    BadWindow, Budget, ClaimError, Ledger, LedgerOptions, MemoryStore, NewPayout, OverBudget, PaymentStatus,
    PayoutId, Settlement, Status, Store, Terms,
};
use proptest::prelude::*;
use testkit::ledger::*;

const DAY: u64 = 86_400;
/// The first second of an hour, and so of a minute.
const HOUR_BEGINS: u64 = NOW - NOW % 3_600;

fn msat(amount: u64) -> Msat {
    Msat::new(amount).unwrap()
}

/// At most `most` msat in any `window` seconds.
fn budget(most: u64, window: u64) -> Budget {
    Budget::new(msat(most), window).unwrap()
}

fn with<S: Store>(store: S, budgets: impl IntoIterator<Item = Budget>) -> Ledger<S> {
    Ledger::with_options(store, budgets.into_iter().fold(LedgerOptions::new(), LedgerOptions::budget))
}

/// A payout of `amount` msat under a label.
fn labelled<S: Store>(
    ledger: &Ledger<S>,
    description: &str,
    amount: u64,
    label: Option<&str>,
) -> (Offer, PayoutId) {
    let offer = offer_of(description, &format!("{amount}msat"));
    let terms = Terms::draft(offer.clone()).unwrap();
    let new = NewPayout::new(&terms);
    let new = match label {
        Some(label) => new.with_label(Label::new(label).unwrap()),
        None => new,
    };
    (offer, ledger.create(new, NOW).unwrap().into_payout().id())
}

/// Claims a new payout of `amount` msat with invoice number `number`.
fn claim<S: Store>(
    ledger: &Ledger<S>,
    number: u64,
    amount: u64,
    label: Option<&str>,
    now: u64,
) -> Result<(), ClaimError> {
    let (offer, _) = labelled(ledger, &format!("payout {number}"), amount, label);
    let invoice = offer.respond(hash(number), payee().x_only_public_key().0);
    ledger.claim(&invoice.created_at(now).sign(&payee()).unwrap(), now).map(drop)
}

fn over(error: ClaimError) -> OverBudget {
    match error {
        ClaimError::OverBudget(over) => over,
        other => panic!("refused for another reason: {other}"),
    }
}

#[test]
fn a_claim_above_a_budget_is_refused_until_it_fits() {
    on_each_store(|stage| {
        let ledger = with(stage.store(), [budget(100_000, DAY)]);
        claim(&ledger, 1, 60_000, None, HOUR_BEGINS + 30).unwrap();
        claim(&ledger, 2, 40_000, None, HOUR_BEGINS + 90).unwrap();
        let now = HOUR_BEGINS + 120;
        let refused = claim(&ledger, 3, 50_000, None, now).unwrap_err();
        // The first minute leaves the window when the window begins with the second.
        let fits_at = HOUR_BEGINS + 60 + DAY - 1;
        assert_eq!(
            refused.to_string(),
            format!(
                "50000msat and the 100000msat claimed in the last 86400 seconds exceed the budget of the ledger: \
                 expected at most 100000msat (fits from {fits_at} on)"
            )
        );
        let refused = over(refused);
        assert_eq!((refused.spent, refused.amount), (msat(100_000), msat(50_000)));
        assert_eq!(refused.fits_at, Some(fits_at));
        // Nothing was written.
        let (offer, id) = labelled(&ledger, "payout 3", 50_000, None);
        assert_eq!((payout(&ledger, id).version(), payout(&ledger, id).status()), (1, Status::Active));
        assert_eq!(ledger.by_payment_hash(hash(3)).unwrap(), None);
        let invoice = offer.respond(hash(3), payee().x_only_public_key().0);
        let invoice = invoice.created_at(now).relative_expiry(2 * 86_400).sign(&payee()).unwrap();
        assert_eq!(over(ledger.claim(&invoice, fits_at - 1).unwrap_err()).fits_at, Some(fits_at));
        drop(ledger.claim(&invoice, fits_at).unwrap());
        let used = ledger.budgets(None, fits_at).unwrap();
        assert_eq!((used[0].spent, used[0].left), (msat(90_000), msat(10_000)));
        assert!(ledger.verify(|_| ()).unwrap().is_clean());
    });
}

#[test]
fn what_no_budget_ever_permits_never_fits() {
    let ledger = with(MemoryStore::new(), [budget(1_000, 60)]);
    let refused = claim(&ledger, 1, 1_001, None, NOW).unwrap_err();
    let expected = "1001msat and the 0msat claimed in the last 60 seconds exceed the budget of the ledger: \
                    expected at most 1000msat";
    assert_eq!(refused.to_string(), expected);
    assert_eq!(over(refused).fits_at, None);
    for seconds in [0, 59, 31_622_401] {
        let error: BadWindow = Budget::new(msat(1), seconds).unwrap_err();
        let expected = format!("budget: a window of {seconds} seconds, expected 60 to 31622400");
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn a_long_window_is_counted_by_hours() {
    on_each_store(|stage| {
        let ledger = with(stage.store(), [budget(100, 30 * DAY)]);
        claim(&ledger, 1, 100, None, HOUR_BEGINS + 1).unwrap();
        let fits_at = HOUR_BEGINS + 3_600 + 30 * DAY - 1;
        let refused = over(claim(&ledger, 2, 1, None, HOUR_BEGINS + 2).unwrap_err());
        assert_eq!(refused.fits_at, Some(fits_at));
        assert!(claim(&ledger, 3, 1, None, fits_at - 1).is_err());
        claim(&ledger, 4, 1, None, fits_at).unwrap();
    });
}

#[test]
fn each_label_has_its_own_budget_next_to_that_of_the_ledger() {
    on_each_store(|stage| {
        let till = |name: &str| Label::new(name).unwrap();
        let budgets = [
            budget(1_000, DAY),
            budget(300, 3_600).for_each_label(),
            budget(200, DAY).for_label(till("till 4")),
        ];
        let ledger = with(stage.store(), budgets);
        claim(&ledger, 1, 300, Some("till 1"), NOW).unwrap();
        claim(&ledger, 2, 300, Some("till 2"), NOW).unwrap();
        let refused = claim(&ledger, 3, 1, Some("till 1"), NOW).unwrap_err().to_string();
        assert!(refused.contains("the budget of each label: expected at most 300msat"), "{refused}");
        let refused = claim(&ledger, 4, 201, Some("till 4"), NOW).unwrap_err().to_string();
        assert!(refused.contains("the budget of label \"till 4\": expected at most 200msat"), "{refused}");
        claim(&ledger, 5, 200, Some("till 4"), NOW).unwrap();
        // A payout without a label has only the budget of the ledger.
        let refused = claim(&ledger, 6, 201, None, NOW).unwrap_err().to_string();
        assert!(refused.contains("exceed the budget of the ledger: expected at most 1000msat"), "{refused}");
        claim(&ledger, 7, 200, None, NOW).unwrap();
        let left = |label: Option<&str>| {
            let used = ledger.budgets(label.map(till).as_ref(), NOW).unwrap();
            used.iter().map(|used| used.left.get()).collect::<Vec<_>>()
        };
        assert_eq!(left(None), [0]);
        assert_eq!(left(Some("till 1")), [0, 0]);
        assert_eq!(left(Some("till 4")), [0, 100, 0]);
        assert_eq!(left(Some("till 5")), [0, 300]);
    });
}

#[test]
fn a_released_payment_does_not_count_and_a_late_success_counts_again() {
    on_each_store(|stage| {
        let budgets = || [budget(1_000, DAY), budget(1_000, DAY).for_each_label()];
        {
            let ledger = with(stage.store(), budgets());
            claim(&ledger, 1, 1_000, Some("till"), NOW).unwrap();
            assert!(claim(&ledger, 2, 1, None, NOW).is_err());
        }
        {
            // The ledger that releases need not have the budgets: the row says where the claim was counted.
            stage.ledger().release(hash(1), "no route", NOW + 5).unwrap();
        }
        let ledger = with(stage.store(), budgets());
        assert_eq!(ledger.budgets(Some(&Label::new("till").unwrap()), NOW + 5).unwrap()[1].spent, msat(0));
        claim(&ledger, 3, 900, Some("till"), NOW + 6).unwrap();
        // The money is gone: it is counted, although it exceeds the budget.
        assert_eq!(ledger.settle(hash(1), preimage(1), NOW + 7), Ok(Settlement::Late));
        assert_eq!(ledger.settle(hash(1), preimage(1), NOW + 8), Ok(Settlement::Already));
        assert_eq!(ledger.settle(hash(3), preimage(3), NOW + 9), Ok(Settlement::Paid));
        for used in ledger.budgets(Some(&Label::new("till").unwrap()), NOW + 9).unwrap() {
            assert_eq!((used.spent, used.left), (msat(1_900), msat(0)));
        }
        assert!(ledger.verify(|_| ()).unwrap().is_clean());
    });
}

#[test]
fn an_adopted_payment_counts_once_it_is_paid_and_is_never_refused() {
    on_each_store(|stage| {
        let ledger = with(stage.store(), [budget(1_000, DAY)]);
        let (offer, _) = labelled(&ledger, "adopted", 5_000, None);
        let invoice = offer.respond(hash(1), payee().x_only_public_key().0);
        let invoice = invoice.created_at(NOW).sign(&payee()).unwrap();
        let spent = || ledger.budgets(None, NOW).unwrap()[0].spent.get();
        let _ = ledger.adopt(&invoice, &PaymentStatus::Unknown, NOW).unwrap();
        assert_eq!(spent(), 0);
        let _ = ledger.adopt(&invoice, &PaymentStatus::Paid(preimage(1)), NOW).unwrap();
        assert_eq!(spent(), 5_000);
        let _ = ledger.adopt(&invoice, &PaymentStatus::Paid(preimage(1)), NOW).unwrap();
        assert_eq!(spent(), 5_000);
    });
}

#[test]
fn a_budget_that_came_later_does_not_give_room_for_what_it_never_counted() {
    on_each_store(|stage| {
        {
            let ledger = stage.ledger();
            claim(&ledger, 1, 900, None, NOW).unwrap();
        }
        let ledger = with(stage.store(), [budget(1_000, DAY)]);
        claim(&ledger, 2, 1_000, None, NOW).unwrap();
        // The release of a claim that was never counted makes no room.
        ledger.release(hash(1), "no route", NOW).unwrap();
        assert!(claim(&ledger, 3, 1, None, NOW).is_err());
        // And a success of one that was never counted counts.
        let (offer, _) = labelled(&ledger, "payout 1", 900, None);
        let invoice = offer.respond(hash(4), payee().x_only_public_key().0).created_at(NOW);
        let invoice = invoice.sign(&payee()).unwrap();
        assert!(ledger.claim(&invoice, NOW).is_err());
        let unlimited = with(ledger.store(), []);
        drop(unlimited.claim(&invoice, NOW).unwrap());
        let _ = ledger.settle(hash(4), preimage(4), NOW).unwrap();
        assert_eq!(ledger.budgets(None, NOW).unwrap()[0].spent, msat(1_900));
    });
}

#[test]
fn claims_that_race_keep_a_budget_together() {
    on_each_store(|stage| {
        let ledger = with(stage.store(), [budget(500, DAY), budget(300, DAY).for_each_label()]);
        let label = |number: u64| Some(if number.is_multiple_of(2) { "even" } else { "odd" });
        let claimed: u64 = thread::scope(|scope| {
            let claims = (0..16_u64).map(|number| {
                let ledger = &ledger;
                scope.spawn(move || match claim(ledger, number, 100, label(number), NOW) {
                    Ok(()) => 1,
                    Err(error) => {
                        over(error);
                        0
                    }
                })
            });
            claims.collect::<Vec<_>>().into_iter().map(|claim| claim.join().unwrap()).sum()
        });
        assert_eq!(claimed, 5);
        assert_eq!(ledger.totals().unwrap().of_all(Status::ALL).in_flight, 500);
        assert_eq!(ledger.budgets(None, NOW).unwrap()[0].left, msat(0));
    });
}

#[test]
fn a_claim_of_unknown_outcome_counts_once_or_not() {
    for (fault, expected) in [(Fault::Before, 0), (Fault::After, 400)] {
        let store = Arc::new(Flaky::new(MemoryStore::new()));
        let ledger = with(Arc::clone(&store), [budget(1_000, DAY)]);
        let (offer, _) = labelled(&ledger, "unknown", 400, None);
        let invoice = offer.respond(hash(1), payee().x_only_public_key().0).created_at(NOW);
        let invoice = invoice.sign(&payee()).unwrap();
        store.fail_next(fault);
        assert!(matches!(ledger.claim(&invoice, NOW), Err(ClaimError::Store(_))));
        let spent = || ledger.budgets(None, NOW).unwrap()[0].spent.get();
        assert_eq!(spent(), expected, "{fault:?}");
        let again = ledger.claim(&invoice, NOW);
        assert_eq!(again.is_ok(), fault == Fault::Before);
        assert_eq!(spent(), 400, "{fault:?}");
        ledger.release(hash(1), "never begun", NOW).unwrap();
        assert_eq!(spent(), 0, "{fault:?}");
    }
}

#[test]
fn the_payee_learns_no_amount_of_a_budget() {
    let ledger = with(MemoryStore::new(), [budget(1_000, DAY)]);
    let (offer, _) = labelled(&ledger, "secret", 2_000, None);
    let invoice = offer.respond(hash(1), payee().x_only_public_key().0).created_at(NOW);
    let invoice = invoice.sign(&payee()).unwrap();
    let refused = ledger.claim(&invoice, NOW).unwrap_err();
    assert_eq!(refused.payee_message(&invoice), "the payer's limit is reached for now: try again later");
}

/// What one step of a random sequence does, and how many seconds after the step before.
#[derive(Clone, Debug)]
enum Step {
    Claim {
        amount: u64,
        label: Option<u8>,
    },
    /// The claim of the step with this number.
    Release(u64),
    Settle(u64),
}

/// A claim in the book: when it counts from, in which unit of its amount, and under which label.
#[derive(Clone, Debug)]
struct Entry {
    time: u64,
    amount: u64,
    label: Option<u8>,
    stands: Stands,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stands {
    Claimed,
    Released,
    Paid,
}

const BUDGETS: [(u64, u64, bool); 4] =
    [(900, 3_600, false), (4_000, 2 * DAY, false), (500, 600, true), (1_500, 3 * DAY, true)];

/// What the window of a budget holds, by the book: every payment that was not released, in slots that are not over.
fn held(
    book: &BTreeMap<u64, Entry>,
    (_, window, by_label): (u64, u64, bool),
    label: Option<u8>,
    now: u64,
) -> u64 {
    let unit = if window <= DAY { 60 } else { 3_600 };
    let counts = |entry: &&Entry| {
        let is_own = !by_label || (entry.label.is_some() && entry.label == label);
        let is_inside = entry.time / unit >= (now - window + 1) / unit;
        is_own && is_inside && entry.stands != Stands::Released
    };
    book.values().filter(counts).map(|entry| entry.amount).sum()
}

fn steps() -> impl Strategy<Value = Vec<(u64, Step)>> {
    let step = prop_oneof![
        6 => (1..400_u64, proptest::option::of(0..2_u8))
            .prop_map(|(amount, label)| Step::Claim { amount, label }),
        2 => (0..40_u64).prop_map(Step::Release),
        2 => (0..40_u64).prop_map(Step::Settle),
    ];
    let pause = prop_oneof![4 => 0..120_u64, 2 => 0..4_000_u64, 1 => 0..2 * DAY];
    prop::collection::vec((pause, step), 1..40)
}

#[test]
fn budgets_count_as_a_naive_book() {
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases: 256,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let ran = runner.run(&steps(), |steps| {
        let budgets = BUDGETS.map(|(most, window, by_label)| {
            let budget = budget(most, window);
            if by_label { budget.for_each_label() } else { budget }
        });
        let ledger = with(MemoryStore::new(), budgets);
        let (mut book, mut now): (BTreeMap<u64, Entry>, u64) = (BTreeMap::new(), NOW);
        let name = |label: u8| format!("till {label}");
        for (number, (pause, step)) in (0_u64..).zip(&steps) {
            now += pause;
            match step {
                Step::Claim { amount, label } => {
                    let text = label.map(name);
                    let found = claim(&ledger, number, *amount, text.as_deref(), now);
                    let fits = BUDGETS.iter().all(|budget| {
                        (budget.2 && label.is_none())
                            || held(&book, *budget, *label, now) + amount <= budget.0
                    });
                    prop_assert_eq!(found.is_ok(), fits, "{}: {:?}", number, found);
                    let stands = if fits { Stands::Claimed } else { Stands::Released };
                    book.insert(number, Entry { time: now, amount: *amount, label: *label, stands });
                }
                Step::Release(claim) => {
                    let Some(entry) = book.get_mut(claim) else { continue };
                    let released = ledger.release(hash(*claim), "no route", now).is_ok();
                    prop_assert_eq!(released, entry.stands == Stands::Claimed);
                    if released {
                        entry.stands = Stands::Released;
                    }
                }
                Step::Settle(claim) => {
                    let Some(entry) = book.get_mut(claim) else { continue };
                    match ledger.settle(hash(*claim), preimage(*claim), now) {
                        Ok(Settlement::Late) => (entry.stands, entry.time) = (Stands::Paid, now),
                        Ok(_) => entry.stands = Stands::Paid,
                        // Refused by a budget, so never claimed.
                        Err(_) => prop_assert_eq!(entry.stands, Stands::Released),
                    }
                }
            }
            for label in [None, Some(0), Some(1)] {
                let text = label.map(|label| Label::new(name(label)).unwrap());
                let used = ledger.budgets(text.as_ref(), now).unwrap();
                let counting = BUDGETS.iter().filter(|budget| !budget.2 || label.is_some());
                let expected: Vec<u64> = counting.map(|budget| held(&book, *budget, label, now)).collect();
                let found: Vec<u64> = used.iter().map(|used| used.spent.get()).collect();
                prop_assert_eq!(found, expected, "after step {}", number);
            }
        }
        prop_assert_eq!(ledger.verify(|_| ()).unwrap().findings, []);
        Ok(())
    });
    ran.unwrap();
}
