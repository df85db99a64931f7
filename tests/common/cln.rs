//! A Core Lightning node that is not there: a Unix socket that answers JSON-RPC as it is asked to, and drops connections.

use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use serde::Deserialize;
use serde_json::{Value, json};
use tempfile::TempDir;

/// What the node does with a call.
#[derive(Clone, Debug)]
pub enum Answer {
    /// Answers with this result.
    Result(Value),
    /// Answers with this error.
    Error(i64, String),
    /// Writes these bytes and no more.
    Raw(String),
    /// Keeps the connection open and is silent.
    Silence,
}

impl Answer {
    /// The answer that was recorded, an error or a result.
    pub fn recorded(answer: &Value) -> Self {
        match answer.get("error") {
            Some(error) => {
                Self::Error(error["code"].as_i64().unwrap(), error["message"].as_str().unwrap().to_owned())
            }
            None => Self::Result(answer["result"].clone()),
        }
    }
}

/// Where a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// Before the request is read: the node never sees it.
    BeforeRequest,
    /// After the node has carried out the request, before it answers.
    BeforeAnswer,
    /// After this many bytes of the answer.
    WithinAnswer(usize),
}

/// The fake. Its socket is gone when it is dropped.
pub struct FakeCln {
    directory: TempDir,
    state: Arc<State>,
}

type Answerer = dyn FnMut(&str, &Value) -> Answer + Send;

struct State {
    answer: Mutex<Box<Answerer>>,
    calls: Mutex<Vec<(String, Value)>>,
    /// The number of the connection that is cut, counted from 0, and where.
    cut: Mutex<Option<(usize, Cut)>>,
    connections: Mutex<usize>,
    silent: Mutex<Vec<UnixStream>>,
    is_over: AtomicBool,
}

impl FakeCln {
    /// A node that answers each call, a method and its parameters, with what `answer` returns.
    pub fn start(answer: impl FnMut(&str, &Value) -> Answer + Send + 'static) -> Self {
        let directory = TempDir::new().unwrap();
        let listener = UnixListener::bind(directory.path().join(SOCKET)).unwrap();
        let state = Arc::new(State {
            answer: Mutex::new(Box::new(answer)),
            calls: Mutex::default(),
            cut: Mutex::default(),
            connections: Mutex::default(),
            silent: Mutex::default(),
            is_over: AtomicBool::new(false),
        });
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming() {
                if shared.is_over.load(Ordering::SeqCst) {
                    return;
                }
                let (shared, stream) = (Arc::clone(&shared), stream.unwrap());
                thread::spawn(move || shared.serve(stream));
            }
        });
        Self { directory, state }
    }

    /// A node that answers as was recorded: each method from the first exchange of it to the last, which is repeated.
    /// The parameters have to be those of the record.
    pub fn replay(exchanges: &[Value]) -> Self {
        let exchanges = exchanges.to_vec();
        let mut used = vec![false; exchanges.len()];
        Self::start(move |method, params| {
            let of_method = |i: &usize| exchanges[*i]["request"]["method"] == method;
            let all: Vec<usize> = (0..exchanges.len()).filter(of_method).collect();
            let next = all.iter().find(|i| !used[**i]).or(all.last());
            let next = *next.unwrap_or_else(|| panic!("{method} was not recorded"));
            used[next] = true;
            assert_eq!(*params, exchanges[next]["request"]["params"], "{method}");
            Answer::recorded(&exchanges[next]["answer"])
        })
    }

    /// Its socket.
    pub fn socket(&self) -> PathBuf {
        self.directory.path().join(SOCKET)
    }

    /// The directory of its socket.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Cuts the connection with this number, counted from now.
    pub fn cut(&self, number: usize, cut: Cut) {
        *self.state.connections.lock().unwrap() = 0;
        *self.state.cut.lock().unwrap() = Some((number, cut));
    }

    /// Connections since the last cut was set.
    pub fn connections(&self) -> usize {
        *self.state.connections.lock().unwrap()
    }

    /// The calls that the node carried out: method and parameters.
    pub fn calls(&self) -> Vec<(String, Value)> {
        self.state.calls.lock().unwrap().clone()
    }

    /// The methods of these calls.
    pub fn methods(&self) -> Vec<String> {
        self.calls().into_iter().map(|(method, _)| method).collect()
    }
}

impl Drop for FakeCln {
    fn drop(&mut self) {
        self.state.is_over.store(true, Ordering::SeqCst);
        // Wakes the thread that listens.
        let _ = UnixStream::connect(self.socket());
    }
}

const SOCKET: &str = "lightning-rpc";

impl State {
    fn serve(&self, mut stream: UnixStream) {
        let number = {
            let mut connections = self.connections.lock().unwrap();
            *connections += 1;
            *connections - 1
        };
        let cut = self.cut.lock().unwrap().filter(|(at, _)| *at == number).map(|(_, cut)| cut);
        if cut == Some(Cut::BeforeRequest) {
            return;
        }
        let mut requests = serde_json::Deserializer::from_reader(Unbuffered(stream.try_clone().unwrap()));
        // A connection without a request asked for nothing.
        let Ok(request) = Value::deserialize(&mut requests) else { return };
        // What is left unread when the socket is closed would reset the connection.
        let _ = stream.read(&mut [0; 2]);
        let method = request["method"].as_str().unwrap();
        self.calls.lock().unwrap().push((method.to_owned(), request["params"].clone()));
        let answer = (self.answer.lock().unwrap())(method, &request["params"]);
        let id = &request["id"];
        let mut bytes = match answer {
            Answer::Result(result) => {
                json!({ "jsonrpc": "2.0", "id": id, "result": result }).to_string() + "\n\n"
            }
            Answer::Error(code, message) => {
                let error = json!({ "code": code, "message": message });
                json!({ "jsonrpc": "2.0", "id": id, "error": error }).to_string() + "\n\n"
            }
            Answer::Raw(text) => text,
            Answer::Silence => {
                self.silent.lock().unwrap().push(stream);
                return;
            }
        };
        match cut {
            Some(Cut::BeforeAnswer) => return,
            Some(Cut::WithinAnswer(length)) => bytes.truncate(length),
            _ => {}
        }
        // The caller may have stopped reading.
        let _ = stream.write_all(bytes.as_bytes());
    }
}

/// Reads byte by byte, so that nothing after the request is taken from the stream.
struct Unbuffered(UnixStream);

impl Read for Unbuffered {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let length = buffer.len().min(1);
        self.0.read(&mut buffer[..length])
    }
}
