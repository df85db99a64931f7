//! A key in a process of its own, which shows what it is asked to sign and asks the person.
//!
//! ```text
//! cargo run --example remote_signer -- [--note TEXT] [--key-file FILE] [--device PROGRAM] [OFFER [AMOUNT]]
//! ```
//!
//! This process is the host: a wallet that requests an invoice for an offer. It starts the same program once more as the
//! device, which alone has the key. Both speak the exchange of `bolt12::device` over a connection on this machine; each
//! request and each answer comes after its length in two bytes. The device shows its screens on stderr and reads `y` from
//! stdin to go on; anything else refuses. stdout has one JSON object and nothing else: the signed request and what the host
//! knows of the key. On failure it is `{"code": -1, "message": …}`. Without a key file the key is made anew for each run. Another
//! program can be the device: `examples/firmware/qemu` runs firmware without an operating system on an emulated board.

mod common;

use std::error::Error;
use std::io::{self, BufRead, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use bolt12::device::{
    RecentRequests, Refusal, RefusalReason, RemoteSigner, Screen, SigningAnswer, SigningContext,
    SigningRequest, SigningRequestId,
};
use bolt12::message::OfferContext;
use bolt12::secp256k1::{Keypair, PublicKey, SECP256K1, SecretKey};
use bolt12::{Amount, Offer};
use clap::Parser;
use common::key::random;
use common::other;
use serde_json::{Value, json};

/// Signs a request for an invoice with a key in another process.
#[derive(Parser)]
#[command(name = "remote_signer")]
struct Arguments {
    /// A note to the payee
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    note: Option<String>,
    /// The file of the key: 64 hexadecimal characters
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// Another program to start as the device; its last argument is the address to connect to
    #[arg(long, value_name = "PROGRAM", conflicts_with = "key_file")]
    device: Option<PathBuf>,
    /// The offer to request an invoice for
    #[arg(
        value_name = "OFFER",
        default_value = "lno1zcss9mk8y3wkklfvevcrszlmu23kfrxh49px20665dqwmn4p72pksese"
    )]
    offer: Offer,
    /// The amount to pay, for example 1234sat
    #[arg(value_name = "AMOUNT", default_value = "1234sat")]
    amount: Amount,
    /// Be the device, for the host at this address
    #[arg(long, hide = true, value_name = "ADDRESS")]
    device_of: Option<SocketAddr>,
}

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> ExitCode {
    common::run(|arguments: Arguments| match arguments.device_of {
        Some(host) => be_device(host, arguments.key_file.as_deref()).map_err(other),
        None => request_invoice(&arguments).map_err(other),
    })
}

/// The host. It has no key.
fn request_invoice(arguments: &Arguments) -> Result<Value> {
    let Amount::Msat(amount) = arguments.amount else {
        return Err("any: expected an amount, since the payer decides it".into());
    };
    let checked = arguments.offer.check(&OfferContext::new(common::now()))?;
    let mut builder = checked.request_invoice().amount(amount);
    if let Some(note) = &arguments.note {
        builder = builder.payer_note(note);
    }
    let device = Device::start(arguments)?;
    let signer = RemoteSigner::new(device.key, |request| device.exchange(request).map_err(|e| e.to_string()));
    let request = builder.sign(&signer, &random::<16>()?)?;
    Ok(json!({
        "request": request.to_string(),
        "amount_msat": amount.get(),
        "payer_id": device.key.to_string(),
        "process_of_the_key": device.child.id(),
        "process_of_the_host": std::process::id(),
    }))
}

/// The process with the key, and the connection to it.
struct Device {
    child: Child,
    key: PublicKey,
    wire: Mutex<TcpStream>,
}

impl Device {
    fn start(arguments: &Arguments) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let mut command = match &arguments.device {
            Some(program) => Command::new(program),
            None => Command::new(std::env::current_exe()?),
        };
        if let Some(file) = &arguments.key_file {
            command.arg("--key-file").arg(file);
        }
        if arguments.device.is_none() {
            command.arg("--device-of");
        }
        // stdout belongs to the host.
        command.arg(address.to_string()).stdout(io::stderr());
        let mut child = command.spawn()?;
        let mut wire = accept(&listener, &mut child)?;
        // Which key it is decides nothing: a signature by another one is refused.
        let mut key = [0; 33];
        wire.read_exact(&mut key)?;
        Ok(Self { child, key: PublicKey::from_slice(&key)?, wire: Mutex::new(wire) })
    }

    fn exchange(&self, request: &[u8]) -> io::Result<Vec<u8>> {
        let mut wire = self.wire.lock().unwrap_or_else(PoisonError::into_inner);
        write_frame(&mut *wire, request)?;
        read_frame(&mut *wire)?.ok_or_else(|| io::Error::other("the device ended without an answer"))
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        // Firmware has no end of its own.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits for the device, unless it ends before it connects.
fn accept(listener: &TcpListener, child: &mut Child) -> Result<TcpStream> {
    listener.set_nonblocking(true)?;
    loop {
        match listener.accept() {
            Ok((wire, _)) => {
                wire.set_nonblocking(false)?;
                return Ok(wire);
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => match child.try_wait()? {
                Some(_) => return Err("the device did not start: see stderr".into()),
                None => thread::sleep(Duration::from_millis(20)),
            },
            Err(error) => return Err(error.into()),
        }
    }
}

/// The device: the only process that has the key.
fn be_device(host: SocketAddr, key_file: Option<&Path>) -> Result<Value> {
    let key = match key_file {
        Some(file) => common::key::read(file).map_err(|error| error.to_string())?,
        None => Keypair::from_secret_key(SECP256K1, &SecretKey::from_slice(&random::<32>()?)?),
    };
    let mut wire = TcpStream::connect(host)?;
    wire.write_all(&key.public_key().serialize())?;
    let mut recent = RecentRequests::<64>::new();
    while let Some(bytes) = read_frame(&mut wire)? {
        let answer = answer(&bytes, &key, &mut recent);
        write_frame(&mut wire, &answer.to_bytes())?;
    }
    Ok(Value::Null)
}

/// Shows what `bytes` ask for, and signs it if the person agrees to every screen.
fn answer(bytes: &[u8], key: &Keypair, recent: &mut RecentRequests<64>) -> SigningAnswer {
    let refuse = |refusal| SigningAnswer::refused(SigningRequestId::from_request_bytes(bytes), refusal);
    let request = match SigningRequest::read(bytes) {
        Ok(request) => request,
        Err(error) => return refuse(Refusal::from(&error)),
    };
    if request.message().signing_key() != Some(key.x_only_public_key().0) {
        return refuse(Refusal::new(RefusalReason::Key, ""));
    }
    let context = SigningContext::new().now(common::now()).signed_before(recent.contains(&request));
    let review = match request.review(&context) {
        Ok(review) => review,
        Err(error) => return refuse(Refusal::from(&error)),
    };
    match review.confirm(ask) {
        Ok(confirmed) => {
            recent.insert(&request);
            confirmed.sign(key)
        }
        Err(refusal) => refuse(refusal),
    }
}

/// Shows one screen and waits for the person.
fn ask(screen: &Screen) -> bool {
    let mut display = format!("+----------------------+\n| {:<20} |\n", screen.title());
    for line in screen.lines(20) {
        display.push_str(&format!("| {line:<20} |\n"));
    }
    say(&format!("{display}+----------------------+\ny to go on:"));
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line).is_ok() && line.trim() == "y"
}

fn say(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

/// A frame: its length in two bytes, big endian, and its bytes.
fn write_frame(wire: &mut impl Write, bytes: &[u8]) -> io::Result<()> {
    let length = u16::try_from(bytes.len()).map_err(|_| io::Error::from(ErrorKind::InvalidInput))?;
    wire.write_all(&length.to_be_bytes())?;
    wire.write_all(bytes)
}

/// The next frame; `None` where the other side has ended the connection.
fn read_frame(wire: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut length = [0; 2];
    match wire.read_exact(&mut length) {
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(None),
        result => result?,
    }
    let mut bytes = vec![0; usize::from(u16::from_be_bytes(length))];
    wire.read_exact(&mut bytes)?;
    Ok(Some(bytes))
}
