//! What the benches share: the inputs, LDK's side of each operation, the floor, and the operations themselves.
//!
//! Every operation has the same bytes on both sides, and the same outcome, which is checked before anything is measured.

pub mod floor;
pub mod inputs;
pub mod ldk;
pub mod operations;
