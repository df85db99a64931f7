//! `openapi.json`, and whether an answer is as it says.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::server::{Request, Response};

pub(crate) struct OpenApi {
    document: Value,
    /// The answers that were seen: address, method, status.
    seen: BTreeSet<(String, String, String)>,
}

impl OpenApi {
    pub(crate) fn read() -> Self {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");
        let document = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        Self { document, seen: BTreeSet::new() }
    }

    /// Fails the test if the answer is not one that the document has for this request.
    pub(crate) fn check(&mut self, request: &Request, response: &Response) {
        let path = request.path.split('?').next().unwrap();
        let address = match path.split('/').collect::<Vec<_>>()[..] {
            ["", "payouts", _] => "/payouts/{id}",
            ["", "payouts", _, "invoices"] => "/payouts/{id}/invoices",
            _ => path,
        };
        let (method, status) = (request.method.to_ascii_lowercase(), response.status.to_string());
        let described = &self.document["paths"][address][&method]["responses"][&status];
        assert!(described.is_object(), "{method} {address}: {status} is not described: {response:?}");
        if let Some(json) = described["content"].get("application/json")
            && let Err(reason) = self.fits(&json["schema"], &response.json())
        {
            panic!("{method} {address} {status}: {reason}: {}", response.body);
        }
        self.seen.insert((address.to_owned(), method, status));
    }

    /// The described answers that were never seen.
    pub(crate) fn unseen(&self) -> Vec<String> {
        let mut unseen = Vec::new();
        for (address, operations) in self.document["paths"].as_object().unwrap() {
            for (method, operation) in operations.as_object().unwrap() {
                for status in
                    operation["responses"].as_object().into_iter().flatten().map(|(status, _)| status)
                {
                    let answer = (address.clone(), method.clone(), status.clone());
                    if !self.seen.contains(&answer) {
                        unseen.push(format!("{method} {address} {status}"));
                    }
                }
            }
        }
        unseen
    }

    /// The part of JSON Schema that the document uses. What it does not know fails.
    fn fits(&self, schema: &Value, value: &Value) -> Result<(), String> {
        for (keyword, rule) in schema.as_object().unwrap() {
            let fits = match keyword.as_str() {
                "description" | "default" => true,
                "$ref" => {
                    let name = rule.as_str().unwrap().strip_prefix("#/components/schemas/").unwrap();
                    self.fits(&self.document["components"]["schemas"][name], value)?;
                    true
                }
                "type" => match rule.as_str().unwrap() {
                    "object" => value.is_object(),
                    "array" => value.is_array(),
                    "string" => value.is_string(),
                    "integer" => value.is_i64() || value.is_u64(),
                    "null" => value.is_null(),
                    other => panic!("type {other}"),
                },
                "enum" => rule.as_array().unwrap().contains(value),
                "minimum" => value.as_i64() >= rule.as_i64(),
                "pattern" => {
                    let text = value.as_str().unwrap_or_default();
                    match rule.as_str().unwrap() {
                        "^[0-9a-f]{64}$" => {
                            text.len() == 64
                                && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
                        }
                        "^(lno1|lnr1)" => text.starts_with("lno1") || text.starts_with("lnr1"),
                        "^lnr1" => text.starts_with("lnr1"),
                        other => panic!("pattern {other}"),
                    }
                }
                "anyOf" => rule.as_array().unwrap().iter().any(|one| self.fits(one, value).is_ok()),
                "required" => {
                    rule.as_array().unwrap().iter().all(|name| value.get(name.as_str().unwrap()).is_some())
                }
                "properties" => {
                    for (name, schema) in rule.as_object().unwrap() {
                        if let Some(member) = value.get(name) {
                            self.fits(schema, member).map_err(|reason| format!("{name}: {reason}"))?;
                        }
                    }
                    true
                }
                "additionalProperties" => {
                    assert_eq!(rule, &Value::Bool(false));
                    let known = schema["properties"].as_object().unwrap();
                    value.as_object().unwrap().keys().all(|name| known.contains_key(name))
                }
                "items" => {
                    for item in value.as_array().unwrap() {
                        self.fits(rule, item)?;
                    }
                    true
                }
                other => panic!("keyword {other}"),
            };
            if !fits {
                return Err(format!("not {keyword} {rule}"));
            }
        }
        Ok(())
    }
}
