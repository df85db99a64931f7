//! The machine and its surroundings, broken on purpose: one guard each, and the property that must be seen to fail.

use bolt12::payout::state::{Attempt, Event, Input, Phase, Refusal, RetryPolicy, State, step};
use bolt12::payout::{PaymentHash, PaymentProof, Preimage};

use super::explore::Properties;
use super::world::{
    AGAIN, BESIDE, CLOSED, FORGOTTEN, GRANTED_TWICE, LOST, NO_END, OURS, OVERTAKEN, PAID, PROOF_LOST, Rules,
    SECOND, SECRETS, SHARED, TWICE, UNCLAIMED, UNPROVED,
};

pub struct Mutant {
    /// What it does wrong.
    pub name: &'static str,
    pub rules: Rules,
    /// What is seen to fail then; it may break more.
    pub breaks: Properties,
}

const LYING: Rules = Rules { call_lies: 1, status_lies: 1, ..OURS };
const TWO_PROCESSES: Rules = Rules { one_process: false, ..OURS };
/// Two machines with leases, one of them slow, and a node that begins what it is asked to begin.
const LEASES: Rules = Rules { leases: true, invoices: 1, slow: 1, dedupes: false, ..TWO_PROCESSES };

pub const MUTANTS: &[Mutant] = &[
    // Guards of the state machine.
    Mutant {
        name: "claims while a payment is in flight",
        rules: Rules { step: claims_while_one_is_in_flight, ..OURS },
        breaks: BESIDE,
    },
    Mutant { name: "claims what is paid", rules: Rules { step: claims_what_is_paid, ..OURS }, breaks: PAID },
    Mutant {
        name: "claims what is paid, and neither asks nor looks again before it pays",
        rules: Rules {
            step: claims_what_is_paid,
            asks_before_paying: false,
            looks_before_paying: false,
            ..OURS
        },
        breaks: TWICE,
    },
    Mutant {
        name: "claims an invoice again that failed",
        rules: Rules { step: claims_what_failed, ..OURS },
        breaks: GRANTED_TWICE,
    },
    Mutant {
        name: "claims what is disabled",
        rules: Rules { step: claims_what_is_disabled, disables: 1, ..OURS },
        breaks: CLOSED,
    },
    Mutant {
        name: "forgets while a payment is in flight that it was disabled",
        rules: Rules { step: reopens_after_failure, disables: 1, ..OURS },
        breaks: CLOSED,
    },
    Mutant {
        name: "claims a second invoice where only the first counts",
        rules: Rules { step: claims_a_second, policy: RetryPolicy::FirstInvoiceOnly, ..OURS },
        breaks: SECOND,
    },
    Mutant {
        name: "refuses a success that comes late",
        rules: Rules { step: refuses_late_success, crashes: 0, ..LYING },
        breaks: NO_END,
    },
    Mutant {
        name: "releases any payment in flight",
        rules: Rules { step: releases_another, ..TWO_PROCESSES },
        breaks: TWICE,
    },
    Mutant {
        name: "releases a payment that succeeded",
        rules: Rules { step: releases_what_is_paid, ..LYING },
        breaks: PROOF_LOST,
    },
    Mutant {
        name: "takes a failure for success",
        rules: Rules { step: settles_what_failed, ..OURS },
        breaks: UNPROVED,
    },
    Mutant { name: "never releases", rules: Rules { step: never_releases, ..OURS }, breaks: NO_END },
    Mutant {
        name: "does not settle once it is disabled",
        rules: Rules { step: settles_only_open, disables: 1, ..OURS },
        breaks: NO_END,
    },
    // The order of ledger.rs and pay.rs.
    Mutant {
        name: "pays without another look, although the store did not say that the claim is written",
        rules: Rules {
            pays_only_what_is_written: false,
            asks_before_paying: false,
            looks_before_paying: false,
            faults: 1,
            ..OURS
        },
        breaks: UNCLAIMED,
    },
    Mutant {
        name: "takes not knowing for failure",
        rules: Rules { not_knowing_is_no_failure: false, ..OURS },
        breaks: FORGOTTEN,
    },
    Mutant {
        name: "believes the paying call that it failed",
        rules: Rules { failures_are_confirmed: false, call_lies: 1, ..OURS },
        breaks: TWICE,
    },
    Mutant {
        name: "takes a wrong preimage for failure",
        rules: Rules { wrong_preimage_is_no_failure: false, call_lies: 1, ..OURS },
        breaks: TWICE,
    },
    Mutant {
        name: "recovers what a worker here holds, with a node that tries again what failed",
        rules: Rules { recovery_respects_held: false, failed_is_final: false, ..OURS },
        breaks: TWICE,
    },
    Mutant {
        name: "releases what was never begun instead of resuming it",
        rules: Rules { never_begun_is_resumed: false, ..TWO_PROCESSES },
        breaks: TWICE,
    },
    Mutant {
        name: "begins in recovery what was overtaken",
        rules: Rules { overtaken_is_not_begun: false, ..LYING },
        breaks: OVERTAKEN,
    },
    Mutant {
        name: "recovers what a worker here holds, with a node that does not look",
        rules: Rules { recovery_respects_held: false, dedupes: false, ..OURS },
        breaks: AGAIN,
    },
    Mutant {
        name: "begins what was never begun, however old the claim is",
        rules: Rules { old_is_left_to_a_person: false, forgets: 1, ..OURS },
        breaks: AGAIN,
    },
    // A ledger restored from a copy.
    Mutant {
        name: "claims before it has adopted what the node knows",
        rules: Rules { adopts_before_it_claims: false, restores: 1, crashes: 0, ..OURS },
        breaks: TWICE,
    },
    Mutant {
        name: "claims while an adopted payment is in flight, and neither asks nor looks again before it pays",
        rules: Rules {
            step: claims_while_one_is_adopted,
            restores: 1,
            crashes: 0,
            asks_before_paying: false,
            looks_before_paying: false,
            ..OURS
        },
        breaks: BESIDE,
    },
    Mutant {
        name: "takes an adopted payment for failed",
        rules: Rules { step: adopts_as_failed, restores: 1, crashes: 0, ..OURS },
        breaks: FORGOTTEN,
    },
    // The store's contract.
    Mutant {
        name: "a store that ignores the version",
        rules: Rules { store_checks_versions: false, ..OURS },
        breaks: LOST,
    },
    Mutant {
        name: "a store that gives one hash to two payouts",
        rules: Rules { store_checks_hashes: false, ..OURS },
        breaks: SHARED,
    },
    Mutant {
        name: "a store that answers before the write is durable",
        rules: Rules { store_is_durable: false, ..OURS },
        breaks: LOST,
    },
    // The payer's contract, with recovery that does not wait for slow workers elsewhere. These are why the documents
    // of `Payer` and `recover` say what they say.
    Mutant {
        name: "a node that tries again what failed, and a slow worker elsewhere",
        rules: Rules { failed_is_final: false, ..TWO_PROCESSES },
        breaks: TWICE,
    },
    Mutant {
        name: "a node that does not look, and a slow worker elsewhere",
        rules: Rules { dedupes: false, ..TWO_PROCESSES },
        breaks: AGAIN,
    },
    Mutant {
        name: "a node whose status lies, and a slow worker elsewhere",
        rules: Rules { status_lies: 1, ..TWO_PROCESSES },
        breaks: FORGOTTEN,
    },
    // Leases.
    Mutant {
        name: "takes a claim over that another machine holds",
        rules: Rules { respects_leases: false, ..LEASES },
        breaks: AGAIN,
    },
    Mutant {
        name: "begins a payment whose lease has ended, and writes none of its own",
        rules: Rules { takes_over_in_one_write: false, ..LEASES },
        breaks: AGAIN,
    },
    Mutant {
        name: "begins a payment under a lease that a clock that is ahead sees as ended",
        rules: Rules { renews_what_is_half_over: false, crashes: 0, ..LEASES },
        breaks: AGAIN,
    },
    Mutant {
        name: "begins what the node had not begun before the lease was taken, and does not ask again",
        rules: Rules { asks_again_under_its_lease: false, slow: 0, ..LEASES },
        breaks: AGAIN,
    },
    // Why the documents of `LedgerOptions::lease` say what a lease cannot promise.
    Mutant {
        name: "a worker that stands still between its look at the lease and its call of a node that does not look",
        rules: Rules { stalls: true, crashes: 0, ..LEASES },
        breaks: AGAIN,
    },
];

type Stepped = Result<(State, Vec<Event>), Refusal>;

/// The state with other attempts, if there can be such a state.
fn with(state: &State, closed: bool, attempts: Vec<Attempt>) -> State {
    State::from_stored(state.policy(), closed, attempts).unwrap()
}

/// Grants a claim in spite of everything; what is in flight counts as failed.
fn grant(state: &State, hash: PaymentHash) -> Stepped {
    let ended = |attempt: &Attempt| match *attempt {
        Attempt::Pending(hash) => Attempt::Failed(hash),
        ended => ended,
    };
    let mut attempts: Vec<_> = state.attempts().iter().map(ended).collect();
    attempts.retain(|attempt| attempt.hash() != hash);
    attempts.push(Attempt::Pending(hash));
    Ok((with(state, false, attempts), vec![Event::Claimed { hash }]))
}

fn claims_while_one_is_in_flight(state: &State, input: &Input) -> Stepped {
    match (state.phase(), *input) {
        (Phase::Claimed { hash: pending }, Input::Claim(hash)) if pending != hash => grant(state, hash),
        _ => step(state, input),
    }
}

fn claims_while_one_is_adopted(state: &State, input: &Input) -> Stepped {
    match (state.pending(), *input) {
        (None, Input::Claim(hash)) if state.attempts().iter().all(|attempt| attempt.hash() != hash) => {
            let alone: Vec<_> =
                state.attempts().iter().filter(|attempt| !attempt.is_in_flight()).copied().collect();
            let _ = step(&with(state, state.is_closed(), alone), input)?;
            let attempts = state.attempts().iter().copied().chain([Attempt::Pending(hash)]).collect();
            Ok((with(state, state.is_closed(), attempts), vec![Event::Claimed { hash }]))
        }
        _ => step(state, input),
    }
}

fn adopts_as_failed(state: &State, input: &Input) -> Stepped {
    let (next, events) = step(state, input)?;
    match *input {
        Input::Adopt(hash) if !events.is_empty() => {
            let (next, _) = step(&next, &Input::Release(hash))?;
            Ok((next, events))
        }
        _ => Ok((next, events)),
    }
}

fn claims_what_is_paid(state: &State, input: &Input) -> Stepped {
    match (state.phase(), *input) {
        (Phase::Used { paid_by }, Input::Claim(hash)) if paid_by != hash => grant(state, hash),
        _ => step(state, input),
    }
}

fn claims_what_failed(state: &State, input: &Input) -> Stepped {
    match (step(state, input), *input) {
        (Err(Refusal::AlreadyFailed { .. }), Input::Claim(hash)) => grant(state, hash),
        (stepped, _) => stepped,
    }
}

fn claims_what_is_disabled(state: &State, input: &Input) -> Stepped {
    match (step(state, input), *input) {
        (Err(Refusal::Disabled), Input::Claim(hash)) => grant(state, hash),
        (stepped, _) => stepped,
    }
}

fn reopens_after_failure(state: &State, input: &Input) -> Stepped {
    let (next, events) = step(state, input)?;
    match (state.phase(), input) {
        (Phase::Closing { .. }, Input::Release(_)) => {
            Ok((with(&next, false, next.attempts().to_vec()), events))
        }
        _ => Ok((next, events)),
    }
}

/// Plays the other policy, until a state of this one differs.
fn claims_a_second(state: &State, input: &Input) -> Stepped {
    let as_any = State::from_stored(RetryPolicy::AnyNewInvoice, false, state.attempts().to_vec()).unwrap();
    step(&as_any, input)
}

fn refuses_late_success(state: &State, input: &Input) -> Stepped {
    match *input {
        Input::Settle(proof) if state.attempts().contains(&Attempt::Failed(proof.payment_hash())) => {
            Err(Refusal::AlreadyFailed { hash: proof.payment_hash() })
        }
        _ => step(state, input),
    }
}

fn releases_another(state: &State, input: &Input) -> Stepped {
    match (state.pending(), input) {
        (Some(pending), Input::Release(_)) => step(state, &Input::Release(pending)),
        _ => step(state, input),
    }
}

fn releases_what_is_paid(state: &State, input: &Input) -> Stepped {
    match (step(state, input), *input) {
        (Err(Refusal::ReleasePaid { .. }), Input::Release(hash)) => {
            let failed = |attempt: &Attempt| match *attempt {
                Attempt::Paid(proof) if proof.payment_hash() == hash => Attempt::Failed(hash),
                other => other,
            };
            let attempts = state.attempts().iter().map(failed).collect();
            Ok((with(state, state.is_closed(), attempts), vec![Event::Released { hash }]))
        }
        (stepped, _) => stepped,
    }
}

fn settles_what_failed(state: &State, input: &Input) -> Stepped {
    let proofs = SECRETS
        .map(Preimage::from_byte_array)
        .map(|preimage| PaymentProof::new(preimage.payment_hash(), preimage));
    match *input {
        Input::Release(hash) => {
            let proof = proofs.into_iter().flatten().find(|proof| proof.payment_hash() == hash);
            step(state, &Input::Settle(proof.unwrap()))
        }
        _ => step(state, input),
    }
}

fn never_releases(state: &State, input: &Input) -> Stepped {
    match *input {
        Input::Release(hash) => Err(Refusal::UnknownPayment { hash }),
        _ => step(state, input),
    }
}

fn settles_only_open(state: &State, input: &Input) -> Stepped {
    match *input {
        Input::Settle(_) if state.is_closed() => Err(Refusal::Disabled),
        _ => step(state, input),
    }
}
