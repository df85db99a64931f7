//! Each answer of the server, and that `openapi.json` has it.

use std::fs;

use serde_json::{Value, json};

use crate::common::purse::Purse;
use crate::openapi::OpenApi;
use crate::server::{Request, Response, Server, invoice};

/// A server, and the document that its answers are checked against.
struct Desk {
    server: Server,
    openapi: OpenApi,
    token: String,
}

impl Desk {
    fn send(&mut self, request: Request) -> Response {
        let token = format!("Bearer {}", self.token);
        self.send_as_is(request.header("Authorization", &token))
    }

    fn send_as_is(&mut self, request: Request) -> Response {
        let response = request.send(self.server.address).unwrap();
        self.openapi.check(&request, &response);
        response
    }

    fn get(&mut self, path: &str) -> Response {
        self.send(Request::get(path))
    }

    fn post(&mut self, path: &str, key: &str, body: &Value) -> Response {
        self.send(Request::post(path, key, body))
    }

    /// The status, code and message of a request that is refused.
    fn refused(&mut self, path: &str, key: &str, body: &Value) -> (u16, i64, String) {
        let response = self.post(path, key, body);
        (response.status, response.json()["code"].as_i64().unwrap(), response.text("message"))
    }
}

#[test]
fn each_answer_is_as_the_openapi_file_has_it() {
    let data = tempfile::tempdir().unwrap();
    let token = data.path().join("token");
    fs::write(&token, "correct horse\n").unwrap();
    // Long enough to be seen in flight.
    let more = ["--token", token.to_str().unwrap(), "--payment-takes", "1000"];
    let server = Server::start(data.path(), "127.0.0.1:0", &more);
    let mut desk = Desk { server, openapi: OpenApi::read(), token: "correct horse".into() };
    let purse = Purse::open(data.path()).unwrap();
    let order = json!({"amount": "100000sat", "description": "withdrawal 17", "label": "till 7"});

    // One order, one payout.
    let made = desk.post("/payouts", "order 17", &order);
    assert_eq!(
        (made.status, made.text("status"), made.text("key")),
        (201, "active".into(), "order 17".into())
    );
    let again = desk.post("/payouts", "order 17", &order);
    assert_eq!((again.status, again.json()), (200, made.json()));
    let (id, bolt12) = (made.text("id"), made.text("bolt12"));
    let other = json!({"amount": "100001sat", "description": "withdrawal 17", "label": "till 7"});
    let refused = format!("order \"order 17\" has payout {id}, which differs in invreq_amount (type 82)");
    assert_eq!(desk.refused("/payouts", "order 17", &other), (409, 1050, refused));
    assert_eq!(desk.get(&format!("/payouts/{id}")).json(), made.json());

    // Paid once, and the proof again for the same invoice.
    let invoices = format!("/payouts/{id}/invoices");
    let present = |invoice: &dyn ToString| json!({"bolt12": invoice.to_string()});
    let first = invoice(&bolt12, &purse);
    let paid = desk.post(&invoices, "", &present(&first));
    assert_eq!((paid.status, paid.text("status")), (200, "paid".into()));
    let preimage: bolt12::Preimage = paid.text("preimage").parse().unwrap();
    assert_eq!(preimage.payment_hash(), first.payment_hash().unwrap());
    assert_eq!(desk.post(&invoices, "", &present(&first)).json(), paid.json());
    let already = format!("already paid: by payment {}", preimage.payment_hash());
    let second = present(&invoice(&bolt12, &purse));
    assert_eq!(desk.refused(&invoices, "", &second), (409, -1, already));
    assert_eq!(desk.get(&format!("/payouts/{id}")).text("status"), "used");

    // The draft, and an invoice for another payout.
    let draft = json!({"amount": "5000msat", "description": "withdrawal 18", "dialect": "draft"});
    let draft = desk.post("/payouts", "order 18", &draft);
    assert!(draft.text("bolt12").starts_with("lno1"));
    let drafts = format!("/payouts/{}/invoices", draft.text("id"));
    let third = json!({"amount": "5000msat", "description": "withdrawal 19", "dialect": "draft"});
    let third = desk.post("/payouts", "order 19", &third);
    let stray = present(&invoice(&third.text("bolt12"), &purse));
    let refused = (409, -1, "the invoice does not answer this payout".to_owned());
    assert_eq!(desk.refused(&drafts, "", &stray), refused);
    // Without a wait it is in flight, and its end is learnt by presenting it again.
    let unawaited = invoice(&draft.text("bolt12"), &purse);
    let mut body = present(&unawaited);
    let mut answer = desk.post(&drafts, "", &json!({"bolt12": body["bolt12"], "wait": 0}));
    while answer.status == 503 {
        answer = desk.post(&drafts, "", &json!({"bolt12": body["bolt12"], "wait": 0}));
    }
    assert_eq!((answer.status, answer.text("status")), (202, "in_flight".into()));
    body["wait"] = 5.into();
    while desk.post(&drafts, "", &body).status == 202 {}
    assert_eq!(desk.post(&drafts, "", &body).text("status"), "paid");

    // A payment to the customer's own offer: each answer has a new request for its node.
    let to = "lno1zcss9mk8y3wkklfvevcrszlmu23kfrxh49px20665dqwmn4p72pksese";
    let own = json!({"amount": "1sat", "description": "refund 20", "to": to});
    let own = desk.post("/payouts", "order 20", &own);
    assert_eq!((own.status, own.text("kind")), (201, "payment to an offer".into()));
    let shown = desk.get(&format!("/payouts/{}", own.text("id")));
    assert!(own.text("bolt12").starts_with("lnr1") && own.text("bolt12") != shown.text("bolt12"));

    // What is wrong is refused, with a reason.
    let wrong = |member: &str, value: Value| {
        let mut wrong = order.clone();
        wrong[member] = value;
        wrong
    };
    let no_key = (400, -1, "Idempotency-Key: expected 1 to 255 ASCII characters".to_owned());
    assert_eq!(desk.refused("/payouts", "", &order), no_key);
    let any = (400, -1, "amount: any, expected an amount such as 100000sat".to_owned());
    assert_eq!(desk.refused("/payouts", "order 21", &wrong("amount", "any".into())), any);
    assert_eq!(desk.refused("/payouts", "order 21", &wrong("amount", "1.5sat".into())).0, 400);
    assert_eq!(desk.refused("/payouts", "order 21", &wrong("absolute_expiry", 1.into())).0, 400);
    assert_eq!(desk.refused("/payouts", "order 21", &wrong("msat", 1.into())).0, 422);
    assert_eq!(desk.refused("/payouts", "order 21", &wrong("label", "x".repeat(200_000).into())).0, 413);
    assert_eq!(desk.refused(&invoices, "", &json!({"bolt12": "x".repeat(200_000)})).0, 413);
    assert_eq!(desk.refused(&invoices, "", &json!({"bolt12": "lni1qqq"})).0, 400);
    assert_eq!(desk.refused(&invoices, "", &json!({})).0, 422);
    let plain = |path: &str| Request::post(path, "order 21", &order).header("Content-Type", "text/plain");
    assert_eq!(desk.send(plain("/payouts")).status, 415);
    assert_eq!(desk.send(plain(&invoices)).status, 415);
    let unknown = "00".repeat(32);
    assert_eq!(desk.get(&format!("/payouts/{unknown}")).status, 404);
    assert_eq!(desk.refused(&format!("/payouts/{unknown}/invoices"), "", &second).0, 404);
    assert_eq!(desk.get("/payouts/17").status, 400);

    // Pages lead to each payout once.
    let (mut ids, mut after) = (Vec::new(), String::new());
    loop {
        let page = desk.get(&format!("/payouts?limit=2{after}")).json();
        ids.extend(page["payouts"].as_array().unwrap().iter().map(|payout| payout["id"].clone()));
        let Some(next) = page["next"].as_str() else { break };
        after = format!("&after={next}");
    }
    assert_eq!(ids.len(), 4);
    assert_eq!(ids[0], Value::from(id));
    assert_eq!(desk.get("/payouts?status=used").json()["payouts"].as_array().unwrap().len(), 2);
    for wrong in ["status=gone", "after=17", "limit=0", "limit=many"] {
        assert_eq!(desk.get(&format!("/payouts?{wrong}")).status, 400, "{wrong}");
    }
    let totals = desk.get("/totals").json();
    assert_eq!((&totals["used"]["count"], &totals["used"]["paid"]), (&2.into(), &100_005_000.into()));
    let metrics = desk.get("/metrics").body;
    assert!(metrics.contains("bolt12_ledger_events_total{event=\"paid\"} 2\n"), "{metrics}");
    assert!(metrics.contains("bolt12_paid_msat{status=\"used\"} 100005000\n"), "{metrics}");

    // The token, which health does not need.
    assert_eq!(desk.send_as_is(Request::get("/health")).text("status"), "ok");
    for (path, wrong) in [
        ("/payouts", "Bearer correct hors"),
        ("/payouts/17", "Bearer incorrect!!"),
        ("/totals", "correct horse"),
        ("/metrics", "Bearer correct horse "),
    ] {
        // A blank at the end of a header is no part of it.
        let expected = if wrong.ends_with(' ') { 200 } else { 401 };
        assert_eq!(
            desk.send_as_is(Request::get(path).header("Authorization", wrong)).status,
            expected,
            "{wrong}"
        );
    }
    assert_eq!(desk.send_as_is(Request::get("/metrics")).status, 401);
    assert_eq!(desk.send_as_is(Request::post("/payouts", "order 22", &order)).status, 401);
    assert_eq!(desk.send_as_is(Request::post(&invoices, "", &second)).status, 401);
    let nowhere = Request::get("/nowhere").send(desk.server.address).unwrap();
    assert_eq!((nowhere.status, nowhere.text("message")), (404, "no such address".into()));
    let method = Request::post("/totals", "", &order).send(desk.server.address).unwrap();
    assert_eq!((method.status, method.json()["code"].as_i64()), (405, Some(-1)));

    // No store fails here and the server is never full, so nothing of that was seen. All else was.
    let unseen = desk.openapi.unseen();
    let (full, rest): (Vec<_>, Vec<_>) = unseen.into_iter().partition(|answer| answer.ends_with(" 503"));
    assert_eq!(rest, [""; 0]);
    assert!(full.len() >= 6);
}
