//! Parameters of a method, by place or by name.

use serde_json::{Map, Value};

use crate::wire::Failure;

/// The parameters that were given. `null` counts as absent.
pub struct Params(Map<String, Value>);

impl Params {
    /// Reads the parameters of a method with these names, in their order.
    pub fn read(given: &Value, names: &[&str]) -> Result<Self, Failure> {
        let mut params = Map::new();
        match given {
            Value::Array(values) => {
                if values.len() > names.len() {
                    let (given, most) = (values.len(), names.len());
                    return Err(Failure::params(format!("{given} parameters, expected at most {most}")));
                }
                params.extend(
                    names.iter().zip(values).map(|(name, value)| ((*name).to_owned(), value.clone())),
                );
            }
            Value::Object(members) => {
                if let Some(unknown) = members.keys().find(|name| !names.contains(&name.as_str())) {
                    return Err(Failure::params(format!("{unknown}: no such parameter")));
                }
                params = members.clone();
            }
            Value::Null => {}
            _ => return Err(Failure::params("the parameters are neither a list nor an object")),
        }
        params.retain(|_, value| !value.is_null());
        Ok(Self(params))
    }

    /// A text. A command line gives numbers for texts of digits, so a number is one too.
    pub fn text(&self, name: &str) -> Result<Option<String>, Failure> {
        match self.0.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(Value::Number(number)) => Ok(Some(number.to_string())),
            Some(_) => Err(Failure::params(format!("{name}: not a text"))),
        }
    }

    /// A text that must be there.
    pub fn required(&self, name: &str) -> Result<String, Failure> {
        self.text(name)?.ok_or_else(|| Failure::params(format!("missing required parameter: {name}")))
    }

    /// A whole number, also as text.
    pub fn number(&self, name: &str) -> Result<Option<u64>, Failure> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        text.parse().map(Some).map_err(|_| Failure::params(format!("{name}: {text}: not a whole number")))
    }
}
