//! The server as a process, and an HTTP client that can hang up.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use bolt12::payout::PayoutMessage;
use serde_json::Value;

use crate::common::purse::Purse;
use crate::wallet::Answer;

pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl Server {
    /// Starts it, and waits until it listens.
    pub(crate) fn start(data: &Path, listen: &str, more: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_payout_server"))
            .args(["--listen", listen, "--data"])
            .arg(data)
            .args(more)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on ").map(str::parse);
        let address = address.unwrap_or_else(|| panic!("{line:?}")).unwrap();
        Self { child, address }
    }

    /// Kills it with SIGKILL.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to stop with SIGTERM.
    pub(crate) fn terminate(&self) {
        let process = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &process]).status().unwrap().success());
    }

    pub(crate) fn wait(&mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }

    pub(crate) fn get(&self, path: &str) -> Response {
        Request::get(path).send(self.address).unwrap()
    }

    pub(crate) fn post(&self, path: &str, key: &str, body: &Value) -> Response {
        Request::post(path, key, body).send(self.address).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[derive(Clone)]
pub(crate) struct Request {
    pub(crate) method: &'static str,
    pub(crate) path: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: String,
}

#[derive(Clone, Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) body: String,
}

impl Response {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub(crate) fn text(&self, member: &str) -> String {
        self.json()[member].as_str().unwrap_or_else(|| panic!("no {member}: {self:?}")).to_owned()
    }
}

impl Request {
    pub(crate) fn get(path: &str) -> Self {
        Self { method: "GET", path: path.to_owned(), headers: Vec::new(), body: String::new() }
    }

    pub(crate) fn post(path: &str, key: &str, body: &Value) -> Self {
        let mut headers = vec![("Content-Type", "application/json".to_owned())];
        if !key.is_empty() {
            headers.push(("Idempotency-Key", key.to_owned()));
        }
        Self { method: "POST", path: path.to_owned(), headers, body: body.to_string() }
    }

    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.retain(|(given, _)| *given != name);
        self.headers.push((name, value.to_owned()));
        self
    }

    /// The answer; `None` when the server is gone.
    pub(crate) fn send(&self, to: SocketAddr) -> Option<Response> {
        let mut stream = self.write(to)?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        let status = head.split(' ').nth(1)?.parse().ok()?;
        let length = head.to_ascii_lowercase();
        let length = length.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
        // An answer that was cut short is none.
        (length == Some(body.len())).then(|| Response { status, body: body.to_owned() })
    }

    /// Sends it, and hangs up after a while without reading the answer.
    pub(crate) fn hang_up(&self, to: SocketAddr, after: Duration) {
        let stream = self.write(to);
        thread::sleep(after);
        drop(stream);
    }

    /// Sends it, and reads no answer.
    pub(crate) fn write(&self, to: SocketAddr) -> Option<TcpStream> {
        let mut stream = TcpStream::connect(to).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        let mut text =
            format!("{} {} HTTP/1.1\r\nHost: desk\r\nConnection: close\r\n", self.method, self.path);
        for (name, value) in &self.headers {
            text += &format!("{name}: {value}\r\n");
        }
        text += &format!("Content-Length: {}\r\n\r\n{}", self.body.len(), self.body);
        stream.write_all(text.as_bytes()).ok()?;
        Some(stream)
    }
}

/// The customer's invoice for what the desk shows.
pub(crate) fn invoice(bolt12: &str, purse: &Purse) -> Answer {
    let message = if bolt12.starts_with("lno1") {
        PayoutMessage::DraftOffer(bolt12.parse().unwrap())
    } else {
        PayoutMessage::InvoiceRequest(bolt12.parse().unwrap())
    };
    Answer::to(&message, purse).unwrap()
}
