//! One JSON-RPC call over a Unix socket: one connection, one request, one answer, within a time and a size.

use std::format;
use std::io::{self, BufReader, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::string::ToString;
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::{Value, json};

use super::ClnError;

/// Calls `method` and returns the member `result` of the answer.
pub(super) fn call(
    socket: &Path,
    method: &str,
    params: &Value,
    limit: Duration,
    answer_limit: usize,
) -> Result<Value, ClnError> {
    let begun = Instant::now();
    let connected = UnixStream::connect(socket);
    let stream = connected
        .map_err(|error| ClnError::Connect { socket: socket.to_path_buf(), reason: error.to_string() })?;
    let mut connection = Connection { stream, begun, limit, bytes_left: answer_limit, failure: None };
    let id = format!("bolt12:{method}");
    let request = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
    // A connection that took too long sends nothing: the caller may have ended the payment meanwhile.
    if let Err(error) = connection.write_all(format!("{request}\n\n").as_bytes()) {
        return Err(connection.failed(method, answer_limit, &error.to_string()));
    }
    let answer = read_answer(&mut connection, &id);
    let answer = match (answer, connection.failure) {
        (Ok(answer), _) => answer,
        (Err(error), None) if error.is_eof() => {
            return Err(ClnError::Lost { method: method.to_string(), reason: "end of file".to_string() });
        }
        (Err(error), None) => {
            return Err(ClnError::NotUnderstood { method: method.to_string(), reason: error.to_string() });
        }
        (Err(error), Some(_)) => return Err(connection.failed(method, answer_limit, &error.to_string())),
    };
    result(method, answer)
}

/// The first message that is the answer with this `id`. A notification has a method and is skipped.
fn read_answer(connection: &mut Connection, id: &str) -> Result<Value, serde_json::Error> {
    let mut messages = serde_json::Deserializer::from_reader(BufReader::new(connection));
    loop {
        let message = Value::deserialize(&mut messages)?;
        let is_answer = message.get("method").is_none();
        if is_answer && message.get("id").and_then(Value::as_str) == Some(id) {
            return Ok(message);
        }
        if is_answer {
            return Err(serde::de::Error::custom("it has another id than the request"));
        }
    }
}

/// The result in an answer, or the error.
fn result(method: &str, mut answer: Value) -> Result<Value, ClnError> {
    let method = method.to_string();
    if let Some(error) = answer.get("error").filter(|error| !error.is_null()) {
        let Some(code) = error.get("code").and_then(Value::as_i64) else {
            return Err(ClnError::NotUnderstood { method, reason: "an error without a code".to_string() });
        };
        let message = error.get("message").and_then(Value::as_str).unwrap_or_default().to_string();
        return Err(ClnError::Refused { method, code, message });
    }
    match answer.get_mut("result") {
        Some(result) => Ok(result.take()),
        None => Err(ClnError::NotUnderstood { method, reason: "no result and no error".to_string() }),
    }
}

/// A connection that ends when the time is over or when too much was read.
struct Connection {
    stream: UnixStream,
    begun: Instant,
    limit: Duration,
    bytes_left: usize,
    failure: Option<Failure>,
}

/// Why reading or writing failed.
#[derive(Clone, Copy)]
enum Failure {
    TooLong,
    TimeOver,
    Lost,
}

impl Connection {
    /// The time that is left for one more read or write.
    fn time_left(&mut self) -> io::Result<Duration> {
        let left = self.limit.saturating_sub(self.begun.elapsed());
        if left.is_zero() { self.fail(Failure::TimeOver, ErrorKind::TimedOut.into()) } else { Ok(left) }
    }

    fn fail<T>(&mut self, failure: Failure, error: io::Error) -> io::Result<T> {
        self.failure = Some(failure);
        Err(error)
    }

    /// Keeps the kind of an error of the socket.
    fn note<T>(&mut self, result: io::Result<T>) -> io::Result<T> {
        match result {
            Err(error) if error.kind() == ErrorKind::Interrupted => Err(error),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                self.fail(Failure::TimeOver, ErrorKind::TimedOut.into())
            }
            Err(error) => self.fail(Failure::Lost, error),
            Ok(value) => Ok(value),
        }
    }

    fn failed(&self, method: &str, answer_limit: usize, reason: &str) -> ClnError {
        let method = method.to_string();
        match self.failure {
            Some(Failure::TooLong) => ClnError::TooLong { method, limit: answer_limit },
            Some(Failure::TimeOver) => ClnError::NoAnswer { method, limit: self.limit },
            Some(Failure::Lost) | None => ClnError::Lost { method, reason: reason.to_string() },
        }
    }
}

impl Read for Connection {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.bytes_left == 0 {
            return self.fail(Failure::TooLong, ErrorKind::InvalidData.into());
        }
        let left = self.time_left()?;
        self.stream.set_read_timeout(Some(left))?;
        let wanted = buffer.len().min(self.bytes_left);
        let result = self.stream.read(buffer.get_mut(..wanted).unwrap_or_default());
        let count = self.note(result)?;
        self.bytes_left = self.bytes_left.saturating_sub(count);
        Ok(count)
    }
}

impl Write for Connection {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let left = self.time_left()?;
        self.stream.set_write_timeout(Some(left))?;
        let result = self.stream.write(bytes);
        self.note(result)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
