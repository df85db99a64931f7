//! Many messages at once, on all cores (feature `rayon`).
//!
//! Messages do not depend on each other, so these are plain parallel iterators: each item is the
//! result of parsing that message alone, in the order of the input. The threads are rayon's;
//! `rayon::ThreadPool::install` bounds them.
//!
//! ```
//! use bolt12::{Offer, bulk};
//! use rayon::iter::ParallelIterator;
//! let text = "lno1zcss9mk8y3wkklfvevcrszlmu23kfrxh49px20665dqwmn4p72pksese";
//! let texts = [text, "lno1pg"];
//! let offers: Vec<Result<Offer, _>> = bulk::parse(&texts).collect();
//! assert!(offers[0].is_ok() && offers[1].is_err());
//! ```

use alloc::vec::Vec;
use core::str::FromStr;

use rayon::iter::{IndexedParallelIterator, IntoParallelIterator, ParallelIterator};

use crate::codec::ParseError;
use crate::message::VerifyError;
use crate::proof::VerifiedProof;
use crate::{Offer, PayerProof};

/// Parses texts: [`Offer`]s, requests, [`Invoice`](crate::Invoice)s, of either dialect, and
/// [`PayerProof`]s, both signatures of which are verified.
///
/// The texts are an array, a slice, a `Vec` or another input with positions, so that a result can
/// be matched with its text: `enumerate` and `zip` work.
pub fn parse<M, T>(texts: T) -> impl IndexedParallelIterator<Item = Result<M, ParseError>>
where
    M: FromStr<Err = ParseError> + Send,
    T: IntoParallelIterator<Item: AsRef<str>, Iter: IndexedParallelIterator>,
{
    texts.into_par_iter().map(|text| text.as_ref().parse())
}

/// Reads messages from the bytes of their streams, which are in an input with positions.
pub fn read<M, B>(streams: B) -> impl IndexedParallelIterator<Item = Result<M, ParseError>>
where
    M: TryFrom<Vec<u8>, Error = ParseError> + Send,
    B: IntoParallelIterator<Item = Vec<u8>, Iter: IndexedParallelIterator>,
{
    streams.into_par_iter().map(M::try_from)
}

/// Checks which proofs are of payments to the issuer of one offer, as
/// [`PayerProof::verify_for_offer`]. [`parse`] and [`read`] have verified their signatures.
pub fn verify_for_offer<'a>(
    proofs: &'a [PayerProof],
    offer: &Offer,
) -> impl IndexedParallelIterator<Item = Result<VerifiedProof<'a>, VerifyError>> {
    proofs.into_par_iter().map(|proof| proof.verify_for_offer(offer))
}
