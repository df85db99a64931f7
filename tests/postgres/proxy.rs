//! A network between a store and its server that counts round trips and loses what the test asks for.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What happens to one round trip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The server receives the statement and commits it. The answer is lost, and the connection breaks.
    AnswerLost,
    /// The statement is lost, and the connection breaks.
    StatementLost,
    /// The answer comes later.
    Late(Duration),
}

/// Listens in a directory of its own.
pub struct Proxy {
    directory: tempfile::TempDir,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    round_trips: AtomicUsize,
    connections: AtomicUsize,
    fault: Mutex<Option<Fault>>,
    /// Every so many round trips one answer is lost; 0 for none.
    lose_every: AtomicUsize,
}

impl Proxy {
    /// A proxy in front of the server with this socket.
    pub fn new(server: PathBuf) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(directory.path().join(".s.PGSQL.5432")).unwrap();
        let shared = Arc::new(Shared::default());
        let own = Arc::clone(&shared);
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let shared = Arc::clone(&own);
                let server = server.clone();
                std::thread::spawn(move || shared.carry(client, &server));
            }
        });
        Self { directory, shared }
    }

    /// The connection string that leads through it.
    pub fn address(&self) -> String {
        let role = testkit::postgres::ROLE;
        format!("host={} user={role} dbname=postgres", self.directory.path().display())
    }

    /// How many round trips there were.
    pub fn round_trips(&self) -> usize {
        self.shared.round_trips.load(Ordering::SeqCst)
    }

    /// How many connections there were.
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// What happens to the next round trip.
    pub fn next(&self, fault: Fault) {
        *self.shared.fault.lock().unwrap() = Some(fault);
    }

    /// Loses one answer of every so many.
    pub fn lose_every(&self, round_trips: usize) {
        self.shared.lose_every.store(round_trips, Ordering::SeqCst);
    }
}

impl Shared {
    /// Carries one connection. A round trip ends when the server is ready for the next query, which is after the commit.
    fn carry(&self, mut client: UnixStream, server: &Path) {
        let Ok(mut server) = UnixStream::connect(server) else { return };
        self.connections.fetch_add(1, Ordering::SeqCst);
        // The first messages have no type. One asks for TLS, which is refused here. The answer to the other one ends with
        // "ready" too.
        let Some(mut start) = message(&mut client, 0) else { return };
        if start[4..] == 80_877_103_u32.to_be_bytes() {
            client.write_all(b"N").unwrap();
            let Some(next) = message(&mut client, 0) else { return };
            start = next;
        }
        server.write_all(&start).unwrap();
        let mut is_start = true;
        loop {
            let mut fault = None;
            if !is_start {
                let Some(statement) = until(&mut client, |kind| kind == b'S' || kind == b'Q') else { break };
                let number = self.round_trips.fetch_add(1, Ordering::SeqCst) + 1;
                let every = self.lose_every.load(Ordering::SeqCst);
                fault = self.fault.lock().unwrap().take();
                if every > 0 && number.is_multiple_of(every) {
                    fault = Some(Fault::AnswerLost);
                }
                if fault == Some(Fault::StatementLost) || server.write_all(&statement).is_err() {
                    break;
                }
            }
            let Some(answer) = until(&mut server, |kind| kind == b'Z') else { break };
            match fault {
                Some(Fault::AnswerLost | Fault::StatementLost) => break,
                Some(Fault::Late(time)) => std::thread::sleep(time),
                None => {}
            }
            if client.write_all(&answer).is_err() {
                break;
            }
            is_start = false;
        }
        let _ = (client.shutdown(Shutdown::Both), server.shutdown(Shutdown::Both));
    }
}

/// All messages up to one of this kind.
fn until(from: &mut UnixStream, is_last: impl Fn(u8) -> bool) -> Option<Vec<u8>> {
    let mut all = Vec::new();
    loop {
        let message = message(from, 1)?;
        let kind = message[0];
        all.extend(message);
        if is_last(kind) {
            return Some(all);
        }
    }
}

/// One message: a type of `kind` bytes, and a length that counts itself.
fn message(from: &mut UnixStream, kind: usize) -> Option<Vec<u8>> {
    let mut message = vec![0; kind + 4];
    from.read_exact(&mut message).ok()?;
    let length = u32::from_be_bytes(message[kind..].try_into().unwrap());
    let mut rest = vec![0; usize::try_from(length).unwrap() - 4];
    from.read_exact(&mut rest).ok()?;
    message.extend(rest);
    Some(message)
}
