//! Command lines, and what is wrong with them in one sentence.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;

/// Why a program ends before it begins.
pub enum Stop {
    /// Help was asked for, and shown.
    Shown(ExitCode),
    /// The command line is wrong: why.
    Wrong(String),
}

/// Reads this process's command line.
pub fn parse<A: Parser>() -> Result<A, Stop> {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    if let Some(unknown) = unknown_option::<A>(&arguments) {
        let message = format!("unexpected argument '{unknown}': put -- before texts that begin so");
        return Err(Stop::Wrong(message));
    }
    A::try_parse_from(arguments).map_err(|error| match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            Stop::Shown(if error.print().is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        _ => Stop::Wrong(first_sentence(&error)),
    })
}

/// The first argument that looks like a long option and is none. Texts may begin with a hyphen, so clap would take a
/// mistyped option for one, and a mistyped `--label` must not become the description of an offer that pays.
fn unknown_option<A: Parser>(arguments: &[OsString]) -> Option<String> {
    let command = A::command();
    let known: Vec<&str> = command.get_arguments().filter_map(clap::Arg::get_long).chain(["help"]).collect();
    let options = arguments.iter().skip(1).map(|argument| argument.to_string_lossy());
    let mut options = options.take_while(|argument| argument != "--");
    let is_unknown = |argument: &str| {
        let name = argument.strip_prefix("--").map(|option| option.split('=').next().unwrap_or_default());
        name.is_some_and(|name| !known.contains(&name))
    };
    options.find(|argument| is_unknown(argument)).map(std::borrow::Cow::into_owned)
}

/// What clap says, without its usage lines.
fn first_sentence(error: &clap::Error) -> String {
    let text = error.to_string();
    let text = text.split("\n\n").next().unwrap_or_default();
    text.trim_start_matches("error: ").split_whitespace().collect::<Vec<_>>().join(" ")
}
