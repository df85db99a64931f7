//! What a program adds to LDK so that the ledger of `bolt12` pays over it. The guide `which_node` shows these files.
//!
//! | file | what it is for |
//! |---|---|
//! | `payer.rs` | the [`Payer`](bolt12::payout::Payer) over a `ChannelManager`, and the handler of its events |
//! | `table.rs` | the durable table that both need, in a file |
//! | `messages.rs` | takes the invoices for our requests before the `ChannelManager` drops them |

mod messages;
mod payer;
mod table;

pub use messages::OwnMessages;
pub use payer::{LdkPayer, PaymentTable};
pub use table::FileTable;
