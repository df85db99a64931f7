//! The state machine against its own documentation, cell by cell, and against a naive model.

use std::fmt::Write;

use bolt12::payout::state::{
    Attempt, Event, ImpossibleState, Input, MAX_ATTEMPTS, Phase, Refusal, RetryPolicy, State, step,
};
use bolt12::payout::{PaymentHash, PaymentProof, Preimage, Status};

const DOC: &str = include_str!("../../src/payout/state/states.md");

fn preimage(name: char) -> Preimage {
    Preimage::from_byte_array([u8::try_from(name).unwrap(); 32])
}

fn hash(name: char) -> PaymentHash {
    preimage(name).payment_hash()
}

fn proof(name: char) -> PaymentProof {
    PaymentProof::new(hash(name), preimage(name)).unwrap()
}

fn pending(name: char) -> Attempt {
    Attempt::Pending(hash(name))
}

fn adopted(name: char) -> Attempt {
    Attempt::Adopted(hash(name))
}

fn failed(name: char) -> Attempt {
    Attempt::Failed(hash(name))
}

fn paid(name: char) -> Attempt {
    Attempt::Paid(proof(name))
}

fn state(policy: RetryPolicy, closed: bool, attempts: &[Attempt]) -> State {
    State::from_stored(policy, closed, attempts.to_vec()).unwrap()
}

/// One state per phase, each with an earlier attempt `e` that failed; `h` is in flight, `p` paid.
fn phases() -> Vec<(&'static str, State)> {
    let any = |closed, attempts: &[Attempt]| state(RetryPolicy::AnyNewInvoice, closed, attempts);
    vec![
        ("Active", any(false, &[failed('e')])),
        ("Claimed", any(false, &[failed('e'), pending('h')])),
        ("Closing", any(true, &[failed('e'), pending('h')])),
        ("ClaimedPaid", any(false, &[paid('p'), failed('e'), pending('h')])),
        ("Used", any(false, &[failed('e'), paid('p')])),
        ("Disabled", any(true, &[failed('e')])),
    ]
}

fn phase_name(phase: Phase) -> &'static str {
    match phase {
        Phase::Active => "Active",
        Phase::Claimed { .. } => "Claimed",
        Phase::Closing { .. } => "Closing",
        Phase::ClaimedPaid { .. } => "ClaimedPaid",
        Phase::Used { .. } => "Used",
        Phase::Disabled => "Disabled",
    }
}

fn event_name(event: &Event) -> &'static str {
    match event {
        Event::Claimed { .. } => "claimed",
        Event::Adopted { .. } => "adopted",
        Event::Settled { late: false, .. } => "settled",
        Event::Settled { late: true, .. } => "settled late",
        Event::Released { .. } => "released",
        Event::Disabled => "disabled",
        Event::Overpaid { .. } => "overpaid",
    }
}

fn refusal_name(refusal: &Refusal) -> String {
    let debug = format!("{refusal:?}");
    debug.split([' ', '{']).next().unwrap().to_owned()
}

fn outcome(state: &State, input: &Input) -> String {
    match step(state, input) {
        Err(refusal) => refusal_name(&refusal),
        Ok((next, events)) if events.is_empty() => {
            assert_eq!(&next, state, "no events, so nothing may change");
            "no change".to_owned()
        }
        Ok((next, events)) => {
            let events: Vec<_> = events.iter().map(event_name).collect();
            format!("→ **{}**: {}", phase_name(next.phase()), events.join(", "))
        }
    }
}

fn inputs() -> Vec<(String, char, Input)> {
    let mut inputs = Vec::new();
    for name in ['n', 'e', 'h', 'p'] {
        inputs.push((format!("claim({name})"), name, Input::Claim(hash(name))));
    }
    for name in ['h', 'e', 'p', 'n'] {
        inputs.push((format!("settle({name})"), name, Input::Settle(proof(name))));
    }
    for name in ['h', 'e', 'p', 'n'] {
        inputs.push((format!("release({name})"), name, Input::Release(hash(name))));
    }
    for name in ['n', 'e', 'h', 'p'] {
        inputs.push((format!("adopt({name})"), name, Input::Adopt(hash(name))));
    }
    inputs.push(("disable".to_owned(), 'n', Input::Disable));
    inputs
}

fn table() -> String {
    let phases = phases();
    let mut text = String::from("| |");
    for (name, _) in &phases {
        write!(text, " {name} |").unwrap();
    }
    text.push_str("\n|---|---|---|---|---|---|---|\n");
    for (input_name, attempt, input) in inputs() {
        write!(text, "| {input_name} |").unwrap();
        for (_, state) in &phases {
            let known = state.attempts().iter().any(|other| other.hash() == hash(attempt));
            let cell = if attempt == 'n' || known { outcome(state, &input) } else { String::new() };
            write!(text, " {cell} |").unwrap();
        }
        text.push('\n');
    }
    text
}

/// Every transition from one phase to another or to itself: from, to, and the events it appends.
pub(crate) fn transitions() -> Vec<(&'static str, &'static str, Vec<&'static str>)> {
    let mut all = Vec::new();
    for (name, state) in phases() {
        for (_, _, input) in inputs() {
            let Ok((next, events)) = step(&state, &input) else { continue };
            if !events.is_empty() {
                all.push((name, phase_name(next.phase()), events.iter().map(event_name).collect()));
            }
        }
    }
    all
}

fn first_only_table() -> String {
    let first = |closed, attempts: &[Attempt]| state(RetryPolicy::FirstInvoiceOnly, closed, attempts);
    let cases = [
        ("Claimed", "release(h)", first(false, &[pending('h')]), Input::Release(hash('h'))),
        ("Closing", "release(h)", first(true, &[pending('h')]), Input::Release(hash('h'))),
        ("Disabled, after e failed", "claim(n)", first(true, &[failed('e')]), Input::Claim(hash('n'))),
        ("Disabled, after e failed", "claim(e)", first(true, &[failed('e')]), Input::Claim(hash('e'))),
        ("Disabled, after e failed", "settle(e)", first(true, &[failed('e')]), Input::Settle(proof('e'))),
        ("Disabled, never claimed", "claim(n)", first(true, &[]), Input::Claim(hash('n'))),
    ];
    cases_table(&cases)
}

/// A payout that has had as many invoices as it takes: the last one as given.
fn full(last: Attempt) -> State {
    let attempt = |number: usize| {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&number.to_be_bytes());
        Attempt::Failed(PaymentHash::from_byte_array(bytes))
    };
    let earlier = [failed('e')].into_iter().chain((2..MAX_ATTEMPTS).map(attempt));
    let closed = matches!(last, Attempt::Failed(_));
    State::from_stored(RetryPolicy::AnyNewInvoice, closed, earlier.chain([last]).collect()).unwrap()
}

fn last_attempt_table() -> String {
    let cases = [
        ("Claimed", "release(h)", full(pending('h')), Input::Release(hash('h'))),
        ("Claimed", "settle(h)", full(pending('h')), Input::Settle(proof('h'))),
        ("Disabled, all failed", "claim(n)", full(failed('f')), Input::Claim(hash('n'))),
        ("Disabled, all failed", "settle(e)", full(failed('f')), Input::Settle(proof('e'))),
        ("Disabled, all failed", "adopt(e)", full(failed('f')), Input::Adopt(hash('e'))),
        ("Disabled, all failed", "adopt(n)", full(failed('f')), Input::Adopt(hash('n'))),
        ("Disabled, all failed", "disable", full(failed('f')), Input::Disable),
    ];
    cases_table(&cases)
}

fn adopted_table() -> String {
    let any = |closed, attempts: &[Attempt]| state(RetryPolicy::AnyNewInvoice, closed, attempts);
    let both = any(false, &[pending('h'), adopted('a')]);
    let alone = any(false, &[adopted('a')]);
    let cases = [
        ("Claimed by h and a", "claim(n)", both.clone(), Input::Claim(hash('n'))),
        ("Claimed by h and a", "claim(a)", both.clone(), Input::Claim(hash('a'))),
        ("Claimed by h and a", "settle(h)", both.clone(), Input::Settle(proof('h'))),
        ("Claimed by h and a", "settle(a)", both.clone(), Input::Settle(proof('a'))),
        ("Claimed by h and a", "release(h)", both.clone(), Input::Release(hash('h'))),
        ("Claimed by h and a", "release(a)", both, Input::Release(hash('a'))),
        ("Claimed by a", "adopt(a)", alone.clone(), Input::Adopt(hash('a'))),
        ("Claimed by a", "settle(a)", alone.clone(), Input::Settle(proof('a'))),
        ("Claimed by a", "release(a)", alone.clone(), Input::Release(hash('a'))),
        ("Claimed by a", "disable", alone, Input::Disable),
    ];
    cases_table(&cases)
}

fn cases_table(cases: &[(&str, &str, State, Input)]) -> String {
    let mut text = String::from("| state | input | outcome |\n|---|---|---|\n");
    for (name, input_name, state, input) in cases {
        assert_eq!(phase_name(state.phase()), name.split([',', ' ']).next().unwrap());
        writeln!(text, "| {name} | {input_name} | {} |", outcome(state, input)).unwrap();
    }
    text
}

#[test]
fn the_documented_tables_are_what_the_code_does() {
    for part in [table(), first_only_table(), last_attempt_table(), adopted_table()] {
        assert!(DOC.contains(&part), "src/payout/state/states.md should contain:\n{part}");
    }
}

fn refused(state: &State, input: Input) -> Refusal {
    step(state, &input).unwrap_err()
}

fn accepted(state: &State, input: Input) -> (State, Vec<Event>) {
    step(state, &input).unwrap()
}

fn claimed(name: char) -> Event {
    Event::Claimed { hash: hash(name) }
}

fn settled(name: char, late: bool) -> Event {
    Event::Settled { proof: proof(name), late }
}

fn phase_state(wanted: &str) -> State {
    phases().into_iter().find(|(name, _)| *name == wanted).unwrap().1
}

#[test]
fn each_representative_is_in_the_phase_it_stands_for() {
    for (name, state) in phases() {
        assert_eq!(phase_name(state.phase()), name);
    }
    assert_eq!(State::new(RetryPolicy::AnyNewInvoice).phase(), Phase::Active);
    assert_eq!(RetryPolicy::default(), RetryPolicy::AnyNewInvoice);
}

#[test]
fn active() {
    let state = phase_state("Active");
    let (next, events) = accepted(&state, Input::Claim(hash('n')));
    assert_eq!(next.phase(), Phase::Claimed { hash: hash('n') });
    assert_eq!(next.attempts(), [failed('e'), pending('n')]);
    assert_eq!(events, [claimed('n')]);

    let (next, events) = accepted(&state, Input::Settle(proof('e')));
    assert_eq!(next.phase(), Phase::Used { paid_by: hash('e') });
    assert_eq!(events, [settled('e', true)]);

    let (next, events) = accepted(&state, Input::Disable);
    assert_eq!((next.phase(), next.is_closed()), (Phase::Disabled, true));
    assert_eq!(events, [Event::Disabled]);

    assert_eq!(refused(&state, Input::Claim(hash('e'))), Refusal::AlreadyFailed { hash: hash('e') });
    assert_eq!(refused(&state, Input::Settle(proof('n'))), Refusal::UnknownPayment { hash: hash('n') });
    assert_eq!(refused(&state, Input::Release(hash('n'))), Refusal::UnknownPayment { hash: hash('n') });
    assert_eq!(refused(&state, Input::Release(hash('e'))), Refusal::AlreadyFailed { hash: hash('e') });
}

#[test]
fn claimed_and_closing() {
    for (name, released_to, disable) in [
        ("Claimed", Phase::Active, Ok((Phase::Closing { hash: hash('h') }, vec![Event::Disabled]))),
        ("Closing", Phase::Disabled, Err(Refusal::AlreadyDisabled)),
    ] {
        let state = phase_state(name);
        assert_eq!(refused(&state, Input::Claim(hash('h'))), Refusal::AlreadyClaimed { hash: hash('h') });
        for other in ['n', 'e'] {
            assert_eq!(refused(&state, Input::Claim(hash(other))), Refusal::InFlight { hash: hash('h') });
        }

        let (next, events) = accepted(&state, Input::Settle(proof('h')));
        assert_eq!(next.phase(), Phase::Used { paid_by: hash('h') });
        assert_eq!(events, [settled('h', false)]);

        let (next, events) = accepted(&state, Input::Settle(proof('e')));
        assert_eq!(next.phase(), Phase::ClaimedPaid { hash: hash('h'), paid_by: hash('e') });
        assert_eq!(events, [settled('e', true)]);

        let (next, events) = accepted(&state, Input::Release(hash('h')));
        assert_eq!(next.phase(), released_to);
        assert_eq!(events, [Event::Released { hash: hash('h') }]);

        let answer = step(&state, &Input::Disable).map(|(next, events)| (next.phase(), events));
        assert_eq!(answer, disable);
        assert_eq!(refused(&state, Input::Settle(proof('n'))), Refusal::UnknownPayment { hash: hash('n') });
        assert_eq!(refused(&state, Input::Release(hash('n'))), Refusal::UnknownPayment { hash: hash('n') });
    }
}

#[test]
fn claimed_although_paid() {
    let state = phase_state("ClaimedPaid");
    for name in ['h', 'e', 'p', 'n'] {
        assert_eq!(refused(&state, Input::Claim(hash(name))), Refusal::AlreadyPaid { by: hash('p') });
    }
    let overpaid = |name| Event::Overpaid { hash: hash(name), paid_by: hash('p') };

    let (next, events) = accepted(&state, Input::Settle(proof('h')));
    assert_eq!((next.phase(), next.status()), (Phase::Used { paid_by: hash('p') }, Status::Overpaid));
    assert_eq!(events, [settled('h', false), overpaid('h')]);

    let (next, events) = accepted(&state, Input::Settle(proof('e')));
    assert_eq!(next.phase(), state.phase());
    assert_eq!(events, [settled('e', true), overpaid('e')]);

    assert_eq!(accepted(&state, Input::Settle(proof('p'))), (state.clone(), vec![]));
    assert_eq!(accepted(&state, Input::Release(hash('h'))).0.phase(), Phase::Used { paid_by: hash('p') });
    assert_eq!(refused(&state, Input::Release(hash('p'))), Refusal::ReleasePaid { hash: hash('p') });
    assert_eq!(refused(&state, Input::Disable), Refusal::AlreadyPaid { by: hash('p') });

    // Closing as well: once paid, it makes no difference.
    let closing = state_after(&phase_state("Closing"), &[Input::Settle(proof('e'))]);
    assert_eq!(accepted(&closing, Input::Release(hash('h'))).0.status(), Status::Used);
}

fn state_after(state: &State, inputs: &[Input]) -> State {
    inputs.iter().fold(state.clone(), |state, input| accepted(&state, *input).0)
}

#[test]
fn used() {
    let state = phase_state("Used");
    for name in ['e', 'p', 'n'] {
        assert_eq!(refused(&state, Input::Claim(hash(name))), Refusal::AlreadyPaid { by: hash('p') });
    }
    assert_eq!(accepted(&state, Input::Settle(proof('p'))), (state.clone(), vec![]));
    let (next, events) = accepted(&state, Input::Settle(proof('e')));
    assert_eq!(next.status(), Status::Overpaid);
    assert_eq!(events, [settled('e', true), Event::Overpaid { hash: hash('e'), paid_by: hash('p') }]);
    assert_eq!(refused(&state, Input::Release(hash('p'))), Refusal::ReleasePaid { hash: hash('p') });
    assert_eq!(refused(&state, Input::Release(hash('e'))), Refusal::AlreadyFailed { hash: hash('e') });
    assert_eq!(refused(&state, Input::Disable), Refusal::AlreadyPaid { by: hash('p') });
}

#[test]
fn disabled() {
    let state = phase_state("Disabled");
    for name in ['e', 'n'] {
        assert_eq!(refused(&state, Input::Claim(hash(name))), Refusal::Disabled);
    }
    assert_eq!(accepted(&state, Input::Settle(proof('e'))).0.phase(), Phase::Used { paid_by: hash('e') });
    assert_eq!(refused(&state, Input::Disable), Refusal::AlreadyDisabled);
    assert_eq!(refused(&state, Input::Release(hash('e'))), Refusal::AlreadyFailed { hash: hash('e') });
}

#[test]
fn attempts_are_bounded() {
    let restore = |closed, attempts: &[Attempt]| {
        State::from_stored(RetryPolicy::AnyNewInvoice, closed, attempts.to_vec())
    };
    let last = full(pending('h'));
    let with_space = restore(false, &last.attempts()[1..MAX_ATTEMPTS - 1]).unwrap();
    assert_eq!(accepted(&with_space, Input::Claim(hash('n'))).0.attempts().len(), MAX_ATTEMPTS - 1);

    // A payout that can never be redeemed any more is not listed as active.
    let (next, events) = accepted(&last, Input::Release(hash('h')));
    assert_eq!(next.status(), Status::Disabled);
    assert_eq!(events, [Event::Released { hash: hash('h') }, Event::Disabled]);
    assert_eq!(refused(&next, Input::Claim(hash('n'))), Refusal::TooManyAttempts);
    assert_eq!(restore(true, next.attempts()), Ok(next.clone()));
    assert_eq!(
        restore(false, next.attempts()).unwrap_err().to_string(),
        "failed invoices: 1000, and the policy permits no more: expected a closed payout",
    );
    let more = [next.attempts(), &[failed('n')]].concat();
    assert_eq!(restore(true, &more), Err(ImpossibleState::TooManyAttempts { found: MAX_ATTEMPTS + 1 }));
}

#[test]
fn a_payout_paid_twice_with_a_third_payment_in_flight_is_overpaid() {
    let state = state(RetryPolicy::AnyNewInvoice, false, &[paid('p'), paid('q'), pending('h')]);
    assert_eq!(state.status(), Status::ClaimedOverpaid);
    assert_eq!(accepted(&state, Input::Release(hash('h'))).0.status(), Status::Overpaid);
    assert_eq!(accepted(&state, Input::Settle(proof('h'))).0.status(), Status::Overpaid);
    for statuses in [Status::IN_FLIGHT, Status::PAID, Status::OVERPAID] {
        assert!(statuses.contains(&Status::ClaimedOverpaid));
    }
    assert!(!Status::OPEN.contains(&Status::ClaimedOverpaid));
}

#[test]
fn an_adopted_payment_takes_permissions_away_and_gives_none() {
    let any = |closed, attempts: &[Attempt]| state(RetryPolicy::AnyNewInvoice, closed, attempts);
    let adopt = |state: &State, name| accepted(state, Input::Adopt(hash(name)));
    let active = any(false, &[]);
    let (one, events) = adopt(&active, 'a');
    assert_eq!((one.status(), one.pending()), (Status::Claimed, None));
    assert_eq!(one.in_flight().collect::<Vec<_>>(), [hash('a')]);
    assert_eq!(events, [Event::Adopted { hash: hash('a') }]);
    assert_eq!(adopt(&one, 'a'), (one.clone(), vec![]));
    assert_eq!(refused(&one, Input::Claim(hash('n'))), Refusal::InFlight { hash: hash('a') });
    assert_eq!(refused(&one, Input::Claim(hash('a'))), Refusal::AlreadyClaimed { hash: hash('a') });

    // Next to a claim; whichever ends first, the other is still in flight.
    let both = adopt(&any(false, &[pending('h')]), 'a').0;
    assert_eq!((both.pending(), both.phase()), (Some(hash('h')), Phase::Claimed { hash: hash('h') }));
    assert_eq!(both.in_flight().collect::<Vec<_>>(), [hash('h'), hash('a')]);
    let rest = accepted(&both, Input::Release(hash('h'))).0;
    assert_eq!((rest.pending(), rest.phase()), (None, Phase::Claimed { hash: hash('a') }));
    assert_eq!(accepted(&both, Input::Settle(proof('a'))).0.status(), Status::ClaimedPaid);

    // After a payment that succeeded, and of one that was taken for failed.
    let used = adopt(&any(false, &[paid('p')]), 'a').0;
    assert_eq!(used.status(), Status::ClaimedPaid);
    let (twice, events) = accepted(&used, Input::Settle(proof('a')));
    assert_eq!(twice.status(), Status::Overpaid);
    assert_eq!(events, [settled('a', false), Event::Overpaid { hash: hash('a'), paid_by: hash('p') }]);
    let again = adopt(&any(true, &[failed('e')]), 'e').0;
    assert_eq!((again.status(), again.attempts()), (Status::Closing, &[adopted('e')][..]));

    // Where only the first invoice counts, an adopted one was the first.
    let first = adopt(&state(RetryPolicy::FirstInvoiceOnly, false, &[]), 'a').0;
    assert_eq!(accepted(&first, Input::Release(hash('a'))).0.status(), Status::Disabled);
}

#[test]
fn impossible_states_are_not_restored() {
    let restore = |policy, closed, attempts: &[Attempt]| {
        State::from_stored(policy, closed, attempts.to_vec()).unwrap_err().to_string()
    };
    let (any, first) = (RetryPolicy::AnyNewInvoice, RetryPolicy::FirstInvoiceOnly);
    let (a, not_first) = (hash('a'), "a later invoice was claimed, expected the first invoice only");
    assert_eq!(
        restore(any, false, &[failed('a'), failed('b'), pending('a')]),
        format!("payment {a}: attempted twice"),
    );
    assert_eq!(
        restore(any, false, &[pending('a'), failed('b'), pending('c')]),
        format!("payment {a}: in flight although a later payment was claimed"),
    );
    assert_eq!(restore(first, true, &[failed('a'), pending('b')]), not_first);
    let all_failed = "failed invoices: 1, and the policy permits no more: expected a closed payout";
    assert_eq!(restore(first, false, &[failed('a')]), all_failed);
    assert_eq!(restore(any, false, &vec![failed('a'); 1_001]), "attempts: 1001, expected at most 1000");
}

#[test]
fn refusals_say_why() {
    let (h, p) = (hash('h'), hash('p'));
    for (refusal, message) in [
        (
            Refusal::AlreadyClaimed { hash: h },
            format!("already claimed: payment {h} of this payout is in flight"),
        ),
        (Refusal::InFlight { hash: h }, format!("in flight: payment {h} of this payout has not ended")),
        (Refusal::AlreadyPaid { by: p }, format!("already paid: by payment {p}")),
        (
            Refusal::AlreadyFailed { hash: h },
            format!("already failed: payment {h} was released and is not tried again"),
        ),
        (
            Refusal::FirstInvoiceOnly { first: p },
            format!("only the first invoice may be tried: payment {p} has failed"),
        ),
        (Refusal::Disabled, "disabled: this payout accepts no invoice".to_owned()),
        (Refusal::AlreadyDisabled, "already disabled".to_owned()),
        (
            Refusal::TooManyAttempts,
            "too many attempts: this payout has had 1000 invoices and accepts no more".to_owned(),
        ),
        (
            Refusal::UnknownPayment { hash: h },
            format!("unknown payment: {h} was never claimed for this payout"),
        ),
        (Refusal::ReleasePaid { hash: h }, format!("already succeeded: payment {h} cannot be released")),
    ] {
        assert_eq!(refusal.to_string(), message);
    }
}

mod model {
    //! A second implementation, written to be obviously right rather than short: it keeps the whole
    //! log and answers every question by reading the log from the start.

    use proptest::prelude::*;

    use super::*;

    #[derive(Default)]
    struct Naive {
        log: Vec<(&'static str, char)>,
    }

    impl Naive {
        fn ever(&self, what: &str, name: char) -> bool {
            self.log.iter().any(|entry| entry.0 == what && entry.1 == name)
        }

        fn names(&self, what: &str) -> Vec<char> {
            self.log.iter().filter(|entry| entry.0 == what).map(|entry| entry.1).collect()
        }

        /// What the log says last of a payment, but for overpayments.
        fn last(&self, name: char) -> &'static str {
            let found =
                |entry: &&(&str, char)| entry.1 == name && !["overpaid", "disabled"].contains(&entry.0);
            self.log.iter().rev().find(found).map_or("", |entry| entry.0)
        }

        fn all_in_flight(&self) -> Vec<char> {
            ('a'..='e').filter(|name| ["claimed", "adopted"].contains(&self.last(*name))).collect()
        }

        fn disabled(&self) -> bool {
            self.log.iter().any(|entry| entry.0 == "disabled")
        }

        /// What the log says about the payout, as a listing names it.
        fn status(&self) -> Status {
            match (self.names("settled").len(), !self.all_in_flight().is_empty(), self.disabled()) {
                (0, false, false) => Status::Active,
                (0, false, true) => Status::Disabled,
                (0, true, false) => Status::Claimed,
                (0, true, true) => Status::Closing,
                (1, true, _) => Status::ClaimedPaid,
                (_, true, _) => Status::ClaimedOverpaid,
                (1, false, _) => Status::Used,
                (_, false, _) => Status::Overpaid,
            }
        }

        /// The new log entries, or the name of the refusal.
        fn take(
            &mut self,
            policy: RetryPolicy,
            what: &str,
            name: char,
        ) -> Result<Vec<&'static str>, &'static str> {
            let known = self.ever("claimed", name) || self.ever("adopted", name);
            let all_failed =
                ('a'..='e').all(|other| other == name || ["", "released"].contains(&self.last(other)));
            let paid = !self.names("settled").is_empty();
            let mut new = Vec::new();
            match what {
                "claim" if paid => return Err("AlreadyPaid"),
                "claim" if self.all_in_flight().contains(&name) => return Err("AlreadyClaimed"),
                "claim" if !self.all_in_flight().is_empty() => return Err("InFlight"),
                "claim"
                    if policy == RetryPolicy::FirstInvoiceOnly
                        && ('a'..='e').any(|one| !self.last(one).is_empty()) =>
                {
                    return Err("FirstInvoiceOnly");
                }
                "claim" if self.disabled() => return Err("Disabled"),
                "claim" if known => return Err("AlreadyFailed"),
                "claim" => new.push("claimed"),
                "adopt" if ["claimed", "adopted", "settled"].contains(&self.last(name)) => {}
                "adopt" => new.push("adopted"),
                "disable" if paid => return Err("AlreadyPaid"),
                "disable" if self.disabled() => return Err("AlreadyDisabled"),
                "disable" => new.push("disabled"),
                _ if !known => return Err("UnknownPayment"),
                "settle" if self.ever("settled", name) => {}
                "settle" if paid => new.extend(["settled", "overpaid"]),
                "settle" => new.push("settled"),
                "release" if self.ever("settled", name) => return Err("ReleasePaid"),
                "release" if self.last(name) == "released" => return Err("AlreadyFailed"),
                "release" if policy == RetryPolicy::FirstInvoiceOnly && all_failed && !self.disabled() => {
                    new.extend(["released", "disabled"]);
                }
                "release" => new.push("released"),
                other => panic!("no such input: {other}"),
            }
            self.log.extend(new.iter().map(|entry| (*entry, name)));
            Ok(new)
        }
    }

    fn log_word(event: &Event) -> &'static str {
        match event {
            Event::Claimed { .. } => "claimed",
            Event::Adopted { .. } => "adopted",
            Event::Settled { .. } => "settled",
            Event::Released { .. } => "released",
            Event::Disabled => "disabled",
            Event::Overpaid { .. } => "overpaid",
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn the_machine_agrees_with_the_naive_model(
            first_only: bool,
            inputs in prop::collection::vec(
                (
                    // Disabling closes most doors, so it is rare.
                    prop_oneof![4 => Just("claim"), 4 => Just("settle"), 4 => Just("release"), 2 => Just("adopt"), 1 => Just("disable")],
                    prop::char::range('a', 'd'),
                ),
                0..40,
            ),
        ) {
            let policy = if first_only { RetryPolicy::FirstInvoiceOnly } else { RetryPolicy::AnyNewInvoice };
            let (mut state, mut naive) = (State::new(policy), Naive::default());
            for (what, name) in inputs {
                let input = match what {
                    "claim" => Input::Claim(hash(name)),
                    "adopt" => Input::Adopt(hash(name)),
                    "settle" => Input::Settle(proof(name)),
                    "release" => Input::Release(hash(name)),
                    _ => Input::Disable,
                };
                let late = naive.last(name) == "released";
                let answer = step(&state, &input);
                match (&answer, naive.take(policy, what, name)) {
                    (Err(refusal), Err(expected)) => prop_assert_eq!(refusal_name(refusal), expected),
                    (Ok((next, events)), Ok(expected)) => {
                        prop_assert_eq!(events.iter().map(log_word).collect::<Vec<_>>(), expected);
                        for event in events {
                            if let Event::Settled { late: reported, .. } = event {
                                prop_assert_eq!(*reported, late);
                            }
                        }
                        state = next.clone();
                    }
                    (ours, theirs) => prop_assert!(false, "{:?} against {:?}", ours, theirs),
                }
                prop_assert_eq!(state.status(), naive.status());
                let claimed = naive.all_in_flight().into_iter().find(|name| naive.last(*name) == "claimed");
                prop_assert_eq!(state.pending(), claimed.map(hash));
                let (mut ours, mut theirs): (Vec<_>, Vec<_>) =
                    (state.in_flight().collect(), naive.all_in_flight().into_iter().map(hash).collect());
                prop_assert!(claimed.is_none() || ours.first() == claimed.map(hash).as_ref());
                ours.sort_unstable();
                theirs.sort_unstable();
                prop_assert_eq!(ours, theirs);
                // A payout is never used without a proof, and what is stored is read back.
                if matches!(state.phase(), Phase::Used { .. }) {
                    prop_assert!(state.paid().all(|proof| proof.preimage().payment_hash() == proof.payment_hash()));
                    prop_assert!(state.paid().count() > 0);
                }
                let restored = State::from_stored(state.policy(), state.is_closed(), state.attempts().to_vec());
                prop_assert_eq!(restored, Ok(state.clone()));
            }
        }
    }
}
