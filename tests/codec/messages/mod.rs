//! The messages of merged BOLT 12 against the official vectors, strings of other implementations, and the requirements one by one.

mod blinded_paths;
mod cln_live;
mod field_lengths;
mod interop;
mod known_bugs;
mod ldk_behaviour;
mod official_offers;
mod other_nodes;
mod requirements_invoice;
mod requirements_offer;
mod requirements_request;
mod requirements_stream;
mod robustness;
mod serde_form;
