//! The state machine against its own documentation, cell by cell, and against a naive model.

use std::fmt::Write;

use bolt12::payout::state::{
    Attempt, Event, ImpossibleState, Input, MAX_ATTEMPTS, Phase, Refusal, RetryPolicy, State, step,
};
use bolt12::payout::{PaymentHash, PaymentProof, Preimage, Status};

const DOC: &str = include_str!("../../src/payout/states.md");

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

fn failed(name: char) -> Attempt {
    Attempt::Failed(hash(name))
}

fn paid(name: char) -> Attempt {
    Attempt::Paid(proof(name))
}

fn state(policy: RetryPolicy, closed: bool, attempts: &[Attempt]) -> State {
    State::restore(policy, closed, attempts.to_vec()).unwrap()
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

fn diagram() -> String {
    let mut text = String::from("stateDiagram-v2\n    [*] --> Active\n");
    for (name, state) in phases() {
        for (_, _, input) in inputs() {
            let Ok((next, events)) = step(&state, &input) else { continue };
            if !events.is_empty() {
                let labels: Vec<_> = events.iter().map(event_name).collect();
                let line = format!("    {name} --> {}: {}\n", phase_name(next.phase()), labels.join(" + "));
                if !text.ends_with(&line) {
                    text.push_str(&line);
                }
            }
        }
    }
    text
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
    let mut text = String::from("| state | input | outcome |\n|---|---|---|\n");
    for (name, input_name, state, input) in cases {
        assert_eq!(phase_name(state.phase()), name.split(',').next().unwrap());
        writeln!(text, "| {name} | {input_name} | {} |", outcome(&state, &input)).unwrap();
    }
    text
}

#[test]
fn the_documented_tables_and_diagram_are_what_the_code_does() {
    for part in [table(), diagram(), first_only_table()] {
        assert!(DOC.contains(&part), "src/payout/states.md should contain:\n{part}");
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
    let attempt = |number: usize| {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&number.to_be_bytes());
        Attempt::Failed(PaymentHash::from_byte_array(bytes))
    };
    let full =
        State::restore(RetryPolicy::AnyNewInvoice, false, (0..MAX_ATTEMPTS).map(attempt).collect()).unwrap();
    assert_eq!(refused(&full, Input::Claim(hash('n'))), Refusal::TooManyAttempts);
    let room =
        State::restore(RetryPolicy::AnyNewInvoice, false, (1..MAX_ATTEMPTS).map(attempt).collect()).unwrap();
    assert_eq!(accepted(&room, Input::Claim(hash('n'))).0.attempts().len(), MAX_ATTEMPTS);
    assert_eq!(
        State::restore(RetryPolicy::AnyNewInvoice, false, (0..=MAX_ATTEMPTS).map(attempt).collect()),
        Err(ImpossibleState::TooManyAttempts { found: MAX_ATTEMPTS + 1 }),
    );
}

#[test]
fn impossible_states_are_not_restored() {
    let restore = |policy, closed, attempts: &[Attempt]| {
        State::restore(policy, closed, attempts.to_vec()).unwrap_err().to_string()
    };
    let (any, first) = (RetryPolicy::AnyNewInvoice, RetryPolicy::FirstInvoiceOnly);
    let (a, not_first) = (hash('a'), "only the first invoice counts, but the payout goes on after it failed");
    assert_eq!(
        restore(any, false, &[failed('a'), failed('b'), pending('a')]),
        format!("payment {a} was attempted twice"),
    );
    assert_eq!(
        restore(any, false, &[pending('a'), failed('b')]),
        format!("payment {a} is in flight although a later one was claimed"),
    );
    assert_eq!(restore(first, true, &[failed('a'), pending('b')]), not_first);
    assert_eq!(restore(first, false, &[failed('a')]), not_first);
    assert_eq!(restore(any, false, &vec![failed('a'); 1_001]), "1001 attempts, of at most 1000");
}

#[test]
fn refusals_say_why() {
    let (h, p) = (hash('h'), hash('p'));
    for (refusal, message) in [
        (
            Refusal::AlreadyClaimed { hash: h },
            format!("already claimed: payment {h} of this payout is in flight"),
        ),
        (Refusal::InFlight { hash: h }, format!("in flight: payment {h} of this payout has not ended yet")),
        (Refusal::AlreadyPaid { by: p }, format!("already paid: by payment {p}")),
        (
            Refusal::AlreadyFailed { hash: h },
            format!("already failed: payment {h} was released and is not tried again"),
        ),
        (
            Refusal::FirstInvoiceOnly { first: p },
            format!("only the first invoice is paid: payment {p} was it, and failed"),
        ),
        (Refusal::Disabled, "disabled: this payout takes no invoices".to_owned()),
        (Refusal::AlreadyDisabled, "already disabled".to_owned()),
        (
            Refusal::TooManyAttempts,
            "too many attempts: 1000 invoices have failed, no more are tried".to_owned(),
        ),
        (
            Refusal::UnknownPayment { hash: h },
            format!("unknown payment: {h} was never claimed for this payout"),
        ),
        (Refusal::ReleasePaid { hash: h }, format!("payment {h} proved paid and cannot be released")),
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

        fn in_flight(&self) -> Option<char> {
            self.names("claimed")
                .into_iter()
                .find(|name| !self.ever("released", *name) && !self.ever("settled", *name))
        }

        fn disabled(&self) -> bool {
            self.log.iter().any(|entry| entry.0 == "disabled")
        }

        /// What the log says of the payout, in the words of a listing.
        fn status(&self) -> Status {
            match (self.names("settled").len(), self.in_flight().is_some(), self.disabled()) {
                (0, false, false) => Status::Active,
                (0, false, true) => Status::Disabled,
                (0, true, false) => Status::Claimed,
                (0, true, true) => Status::Closing,
                (_, true, _) => Status::ClaimedPaid,
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
            let known = self.ever("claimed", name);
            let paid = !self.names("settled").is_empty();
            let mut new = Vec::new();
            match what {
                "claim" if paid => return Err("AlreadyPaid"),
                "claim" if self.in_flight() == Some(name) => return Err("AlreadyClaimed"),
                "claim" if self.in_flight().is_some() => return Err("InFlight"),
                "claim" if policy == RetryPolicy::FirstInvoiceOnly && !self.names("claimed").is_empty() => {
                    return Err("FirstInvoiceOnly");
                }
                "claim" if self.disabled() => return Err("Disabled"),
                "claim" if known => return Err("AlreadyFailed"),
                "claim" => new.push("claimed"),
                "disable" if paid => return Err("AlreadyPaid"),
                "disable" if self.disabled() => return Err("AlreadyDisabled"),
                "disable" => new.push("disabled"),
                _ if !known => return Err("UnknownPayment"),
                "settle" if self.ever("settled", name) => {}
                "settle" if paid => new.extend(["settled", "overpaid"]),
                "settle" => new.push("settled"),
                "release" if self.ever("settled", name) => return Err("ReleasePaid"),
                "release" if self.ever("released", name) => return Err("AlreadyFailed"),
                "release" if policy == RetryPolicy::FirstInvoiceOnly && !self.disabled() => {
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
                    prop_oneof![4 => Just("claim"), 4 => Just("settle"), 4 => Just("release"), 1 => Just("disable")],
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
                    "settle" => Input::Settle(proof(name)),
                    "release" => Input::Release(hash(name)),
                    _ => Input::Disable,
                };
                let late = naive.ever("released", name);
                let answer = step(&state, &input);
                match (&answer, naive.take(policy, what, name)) {
                    (Err(refusal), Err(expected)) => prop_assert_eq!(refusal_name(refusal), expected),
                    (Ok((next, events)), Ok(expected)) => {
                        prop_assert_eq!(events.iter().map(log_word).collect::<Vec<_>>(), expected);
                        for event in events {
                            if let Event::Settled { late: told, .. } = event {
                                prop_assert_eq!(*told, late);
                            }
                        }
                        state = next.clone();
                    }
                    (ours, theirs) => prop_assert!(false, "{:?} against {:?}", ours, theirs),
                }
                prop_assert_eq!(state.status(), naive.status());
                prop_assert_eq!(state.pending(), naive.in_flight().map(hash));
                // A payout is never used without a proof, and what is stored is read back.
                if matches!(state.phase(), Phase::Used { .. }) {
                    prop_assert!(state.paid().all(|proof| proof.preimage().payment_hash() == proof.payment_hash()));
                    prop_assert!(state.paid().count() > 0);
                }
                let restored = State::restore(state.policy(), state.is_closed(), state.attempts().to_vec());
                prop_assert_eq!(restored, Ok(state.clone()));
            }
        }
    }
}
