//! Every public item of the crate, with all features, stands in `public.txt`. A change of the interface is a change of
//! that file, and so is seen in a diff.
//!
//! ```sh
//! cargo test -p bolt12-api                # compares; needs a nightly toolchain
//! BLESS=1 cargo test -p bolt12-api        # writes the list anew
//! ```
//!
//! Left out of the list: what every type has (blanket implementations such as `Into`), and auto traits, whose number
//! grows with the compiler. `Send` and `Sync` are checked where they are promised, in the documentation of the types.
#![cfg(test)]
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test stops at the first surprise"
)]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use public_api::Builder;

/// The crate whose interface this is.
const CRATE: &str = "bolt12";

#[test]
fn every_public_item_is_in_the_list() {
    let public = Builder::from_rustdoc_json(rustdoc_json())
        .omit_blanket_impls(true)
        .omit_auto_trait_impls(true)
        .build()
        .unwrap_or_else(|error| panic!("{error}\nthe nightly toolchain and the crate public-api do not fit"));
    let found = shortened(public.items().map(|item| item.to_string()));
    let list = Path::new(env!("CARGO_MANIFEST_DIR")).join("public.txt");
    if std::env::var_os("BLESS").is_some() {
        fs::write(&list, found).unwrap();
        return;
    }
    let listed = fs::read_to_string(&list).unwrap();
    let differences = differences(&listed, &found);
    assert!(
        differences.is_empty(),
        "the public interface differs from the list:\n{differences}\
         if that is meant, write it with BLESS=1 cargo test -p {}",
        env!("CARGO_PKG_NAME"),
    );
    assert_eq!(listed, found, "only the order differs");
}

/// The lines of `items` without the functions that another crate's trait prescribes: that a type is `Clone` says it all.
fn shortened(items: impl Iterator<Item = String>) -> String {
    let mut is_foreign = false;
    let mut text = String::new();
    for item in items {
        if item.starts_with("impl") {
            // `impl<…> path::Trait<…> for Type`, or no trait and no `for`.
            let of_trait = item.split_once(" for ").map(|(head, _)| head);
            is_foreign = of_trait.is_some_and(|head| !head.contains(&format!(" {CRATE}::")));
        } else if !item.starts_with("pub fn ") {
            is_foreign &= item.starts_with("pub type ");
        }
        // What `derive(PartialEq)` adds for constants in patterns is nothing to call.
        let is_marker = item.contains("core::marker::StructuralPartialEq");
        let is_prescribed = is_foreign && item.starts_with("pub fn ");
        if !is_marker && !is_prescribed {
            writeln!(text, "{item}").unwrap();
        }
    }
    text
}

/// The lines that one text has and the other has not, as a diff marks them.
fn differences(listed: &str, found: &str) -> String {
    let (listed, found): (BTreeSet<_>, BTreeSet<_>) = (listed.lines().collect(), found.lines().collect());
    let mut text = String::new();
    listed.difference(&found).for_each(|line| writeln!(text, "- {line}").unwrap());
    found.difference(&listed).for_each(|line| writeln!(text, "+ {line}").unwrap());
    text
}

/// Has a nightly rustdoc describe the crate, and returns the file.
fn rustdoc_json() -> PathBuf {
    let program = std::env::current_exe().unwrap();
    let target = program.ancestors().nth(3).unwrap().join("api");
    let status = Command::new("rustup")
        .args([
            "run",
            "nightly",
            "cargo",
            "rustdoc",
            "--package",
            CRATE,
            "--lib",
            "--all-features",
            "--locked",
        ])
        .arg("--target-dir")
        .arg(&target)
        .args(["--", "-Z", "unstable-options", "--output-format", "json", "--cap-lints", "allow"])
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."))
        // Those of the toolchain that runs this test.
        .env_remove("RUSTC")
        .env_remove("RUSTDOC")
        .env_remove("RUSTFLAGS")
        .env_remove("RUSTDOCFLAGS")
        .status()
        .unwrap_or_else(|error| panic!("rustup: {error}"));
    assert!(status.success(), "no nightly rustdoc: rustup toolchain install nightly --profile minimal");
    target.join("doc").join(format!("{CRATE}.json"))
}

#[test]
fn functions_of_foreign_traits_are_left_out() {
    let items = [
        "pub struct bolt12::A",
        "impl bolt12::A",
        "pub fn bolt12::A::new() -> Self",
        "impl core::convert::From<bolt12::B> for bolt12::A",
        "pub type bolt12::A::Error = bolt12::C",
        "pub fn bolt12::A::from(bolt12::B) -> Self",
        "impl<T> bolt12::Trait for bolt12::A",
        "pub fn bolt12::A::work(&self)",
        "impl core::clone::Clone for bolt12::A",
        "pub fn bolt12::A::clone(&self) -> Self",
        "pub mod bolt12::m",
        "pub fn bolt12::m::free()",
    ];
    let left = [0, 1, 2, 3, 4, 6, 7, 8, 10, 11].map(|place| format!("{}\n", items[place])).concat();
    assert_eq!(shortened(items.into_iter().map(str::to_owned)), left);
}

#[test]
fn what_differs_is_marked() {
    assert_eq!(differences("a\nb\nc\n", "a\nc\nd\n"), "- b\n+ d\n");
    assert_eq!(differences("a\nb\n", "b\na\n"), "");
}
