//! Chains by their names.

use core::fmt;

use bitcoin::Network;
use bitcoin::constants::ChainHash;

/// A chain as an error shows it: `bitcoin`, `testnet`, `testnet4`, `signet`, `regtest`, or the hash
/// of a chain that is none of these.
pub(crate) struct ShownChain(pub(crate) ChainHash);

impl fmt::Display for ShownChain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Network::from_chain_hash(self.0) {
            Some(network) => network.fmt(f),
            None => self.0.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn a_chain_has_its_name_or_its_hash() {
        for (chain, name) in [
            (ChainHash::BITCOIN, "bitcoin"),
            (ChainHash::TESTNET3, "testnet"),
            (ChainHash::TESTNET4, "testnet4"),
            (ChainHash::SIGNET, "signet"),
            (ChainHash::REGTEST, "regtest"),
        ] {
            assert_eq!(ShownChain(chain).to_string(), name);
        }
        assert_eq!(ShownChain(ChainHash::from([0xab; 32])).to_string(), "ab".repeat(32));
    }
}
