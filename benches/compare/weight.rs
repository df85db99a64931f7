//! Weight: crates, clean build, and the size of a program that parses an offer and prints its id.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use serde::Serialize;

use super::table::lines_of;

/// One measure of both sides.
#[derive(Clone, Debug, Serialize)]
pub struct Weight {
    pub measure: &'static str,
    pub ours: f64,
    pub ldk: f64,
    pub ratio: f64,
    pub limit: &'static str,
}

impl Weight {
    fn new(measure: &'static str, ours: f64, ldk: f64, limit: &'static str) -> Self {
        Self { measure, ours, ldk, ratio: ldk / ours, limit }
    }

    pub fn json(&self) -> String {
        serde_json::to_string(self).unwrap()
    }
}

pub fn text(weights: &[Weight]) -> String {
    let heading = ["weight", "ours", "LDK's", "LDK's / ours", "limit"].map(str::to_owned);
    let lines = weights.iter().map(|weight| {
        let number = |value: f64| format!("{value:.1}");
        let ratio = format!("{:.2}", weight.ratio);
        [weight.measure.to_owned(), number(weight.ours), number(weight.ldk), ratio, weight.limit.to_owned()]
    });
    let lines: Vec<_> = std::iter::once(heading).chain(lines).collect();
    format!(
        "\n## Weight\n\n{}\nThe program is built with `opt-level = \"s\"`, `lto = true`, `codegen-units = 1`, `panic = \"abort\"`, \
         `strip = true`; the clean build is a plain `cargo build --release` with default features, the better of two.\n",
        lines_of(&lines)
    )
}

/// Builds a project for each side in a directory of its own. It takes minutes.
pub fn measure() -> Vec<Weight> {
    let root = std::env::temp_dir().join(format!("bolt12-weight-{}", std::process::id()));
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let ours = Project::new(&root, "ours", &format!("bolt12 = {{ path = {manifest:?} }}"), OURS);
    let ldk = Project::new(&root, "theirs", "lightning = \"0.2\"", LDK);
    let crates = (ours.crates(), ldk.crates());
    let times = [(ours.build_seconds(), ldk.build_seconds()), (ours.build_seconds(), ldk.build_seconds())];
    let seconds = times.into_iter().reduce(|a, b| (a.0.min(b.0), a.1.min(b.1))).unwrap();
    let kilobytes = (ours.program_kilobytes(), ldk.program_kilobytes());
    fs::remove_dir_all(&root).unwrap();
    vec![
        Weight::new("crates, normal dependencies and itself", crates.0, crates.1, "<= LDK's"),
        Weight::new("clean release build, seconds", seconds.0, seconds.1, "<= 0.4 of LDK's"),
        Weight::new("program that parses an offer, kB", kilobytes.0, kilobytes.1, "<= 450"),
    ]
}

const OURS: &str = "fn main() {
    let text = std::env::args().nth(1).unwrap_or_default();
    match text.parse::<bolt12::Offer>() {
        Ok(offer) => println!(\"{}\", offer.offer_id()),
        Err(error) => println!(\"{error}\"),
    }
}
";

const LDK: &str = "fn main() {
    let text = std::env::args().nth(1).unwrap_or_default();
    match text.parse::<lightning::offers::offer::Offer>() {
        Ok(offer) => println!(\"{:?}\", offer.id()),
        Err(error) => println!(\"{error:?}\"),
    }
}
";

const SMALL: &str = "[profile.small]
inherits = \"release\"
opt-level = \"s\"
lto = true
codegen-units = 1
panic = \"abort\"
strip = true
";

/// A program that depends on one crate.
struct Project {
    place: PathBuf,
    name: &'static str,
}

impl Project {
    fn new(root: &Path, name: &'static str, dependency: &str, main: &str) -> Self {
        let place = root.join(name);
        fs::create_dir_all(place.join("src")).unwrap();
        let manifest = format!(
            "[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[dependencies]\n{dependency}\n\n\
             {SMALL}\n[workspace]\n"
        );
        fs::write(place.join("Cargo.toml"), manifest).unwrap();
        fs::write(place.join("src/main.rs"), main).unwrap();
        // The versions that are measured are those of the lock file.
        fs::write(place.join("Cargo.lock"), include_str!("../../Cargo.lock")).unwrap();
        Self { place, name }
    }

    fn cargo(&self, arguments: &[&str]) -> String {
        let mut command = Command::new(env!("CARGO"));
        command.args(arguments).current_dir(&self.place).env("CARGO_TARGET_DIR", self.place.join("target"));
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn crates(&self) -> f64 {
        let tree = self.cargo(&["tree", "--edges", "normal", "--prefix", "none", "--format", "{p}"]);
        let crates: BTreeSet<_> = tree.lines().filter_map(|line| line.split(" (").next()).collect();
        // The program itself is none of them.
        (crates.len() - 1) as f64
    }

    fn build_seconds(&self) -> f64 {
        let target = self.place.join("target");
        if target.exists() {
            fs::remove_dir_all(target).unwrap();
        }
        self.cargo(&["fetch"]);
        let start = Instant::now();
        self.cargo(&["build", "--release"]);
        start.elapsed().as_secs_f64()
    }

    fn program_kilobytes(&self) -> f64 {
        self.cargo(&["build", "--profile", "small"]);
        let program = self.place.join("target/small").join(self.name);
        fs::metadata(program).unwrap().len() as f64 / 1000.0
    }
}
