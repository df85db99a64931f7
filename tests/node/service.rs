//! The same payer in an async program.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bolt12::payout::{Ledger, MemoryStore, PaymentStatus, RecoverOptions, Status};
use bolt12::service::{AsyncLedger, AsyncPayer, ServiceOptions};
use testkit::cln::{Answer, FakeCln};
use testkit::ledger::{NOW, answer, hash, preimage};
use tokio::runtime::Builder;

use super::{IN_FLIGHT, failed, paid, payer, pays, promised, row, success};

#[test]
fn an_async_ledger_pays_recovers_and_learns_of_failures_over_it() {
    let plan = Arc::new(Mutex::new(Answer::Result(success(1))));
    let (shared, mut is_paid) = (Arc::clone(&plan), false);
    let node = FakeCln::start(move |method, params| match method {
        "listpays" if is_paid && params["payment_hash"] == hash(2).to_string() => {
            Answer::Result(pays(&[row(2, "complete")]))
        }
        "listpays" => Answer::Result(pays(&[])),
        _ => {
            let answer = shared.lock().unwrap().clone();
            is_paid |= matches!(answer, Answer::Raw(_));
            answer
        }
    });
    let ledger = Arc::new(Ledger::new(MemoryStore::new()));
    let requests: Vec<_> =
        [b"first", b"other", b"third"].map(|metadata| promised(&ledger, metadata)).into_iter().collect();
    let options = ServiceOptions::new().clock(|| NOW);
    let runtime = Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        let service = AsyncLedger::new(Arc::clone(&ledger), payer(&node), &options);
        let result = service.pay_once(&answer(&requests[0].0, 1)).await.unwrap();
        assert_eq!(result, paid(preimage(1)));
        // The answer is lost, and recovery finds the payment.
        *plan.lock().unwrap() = Answer::Raw(String::new());
        assert_eq!(service.pay_once(&answer(&requests[1].0, 2)).await.unwrap(), IN_FLIGHT);
        let report = service.recover(&RecoverOptions::new()).await.unwrap();
        assert_eq!(report.payments[0].result, paid(preimage(2)));
        *plan.lock().unwrap() = Answer::Error(205, "no route".to_owned());
        let result = service.pay_once(&answer(&requests[2].0, 3)).await.unwrap();
        assert_eq!(result, failed("xpay: error 205: no route"));
    });
    let statuses = requests.iter().map(|(_, id)| ledger.get(*id).unwrap().unwrap().status());
    assert_eq!(statuses.collect::<Vec<_>>(), [Status::Used, Status::Used, Status::Active]);
}

#[test]
fn a_payment_that_takes_long_does_not_hold_up_the_runtime() {
    let node = FakeCln::start(|method, _| match method {
        "listpays" => Answer::Result(pays(&[])),
        _ => Answer::Silence,
    });
    let ledger = Ledger::new(MemoryStore::new());
    let (request, _) = promised(&ledger, b"long");
    let claim = ledger.claim(&answer(&request, 1), NOW).unwrap();
    let payer = payer(&node).wait(Duration::from_millis(800));
    let runtime = Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        let node = payer.clone();
        let paying = tokio::spawn(async move { AsyncPayer::pay(&node, &claim).await });
        assert_eq!(AsyncPayer::status(&payer, hash(2)).await, None);
        assert!(!paying.is_finished());
        assert_eq!(paying.await.unwrap(), PaymentStatus::Unknown);
    });
}
