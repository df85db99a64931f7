//! What it ran on.

/// Processor, system and versions on one line.
pub fn describe() -> String {
    let processor = std::fs::read_to_string("/proc/cpuinfo").ok().and_then(|text| {
        let line = text.lines().find(|line| line.starts_with("model name"))?;
        line.split_once(": ").map(|(_, name)| name.to_owned())
    });
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let lock = include_str!("../../Cargo.lock");
    let version = |name: &str| {
        let mut lines = lock.lines().skip_while(|line| *line != format!("name = \"{name}\""));
        lines.nth(1).and_then(|line| line.split('"').nth(1)).unwrap_or("?").to_owned()
    };
    format!(
        "{} ({threads} threads, {}), bolt12 {}, lightning {}, secp256k1 {}, sha2 {}",
        processor.unwrap_or_else(|| std::env::consts::ARCH.to_owned()),
        std::env::consts::OS,
        version("bolt12"),
        version("lightning"),
        version("secp256k1"),
        version("sha2"),
    )
}
