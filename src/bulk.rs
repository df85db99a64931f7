//! Many messages at once, on all cores (feature `rayon`).
//!
//! Messages know nothing of each other, so this is a parallel iterator and nothing more: each item is what parsing that
//! message alone answers, in the order given. The threads are rayon's; `rayon::ThreadPool::install` bounds them.
//!
//! ```
//! use bolt12::{Offer, bulk};
//! use rayon::iter::ParallelIterator;
//! let texts = ["lno1zcss9mk8y3wkklfvevcrszlmu23kfrxh49px20665dqwmn4p72pksese", "lno1pg"];
//! let offers: Vec<Result<Offer, _>> = bulk::parse(&texts).collect();
//! assert!(offers[0].is_ok() && offers[1].is_err());
//! ```

use alloc::vec::Vec;
use core::str::FromStr;

use rayon::iter::{IntoParallelIterator, Map, ParallelIterator};

use crate::codec::ParseError;

/// A parallel iterator over what parsing each item of `I` answers; indexed if that of `I` is.
pub type Messages<I, M> =
    Map<<I as IntoParallelIterator>::Iter, fn(<I as IntoParallelIterator>::Item) -> Result<M, ParseError>>;

/// Parses texts: [`Invoice`](crate::Invoice)s, offers, requests, of either dialect.
pub fn parse<M, T>(texts: T) -> Messages<T, M>
where
    M: FromStr<Err = ParseError> + Send,
    T: IntoParallelIterator<Item: AsRef<str>>,
{
    texts.into_par_iter().map(|text| text.as_ref().parse())
}

/// Reads messages from the bytes of their streams.
pub fn read<M, B>(streams: B) -> Messages<B, M>
where
    M: TryFrom<Vec<u8>, Error = ParseError> + Send,
    B: IntoParallelIterator<Item = Vec<u8>>,
{
    streams.into_par_iter().map(M::try_from)
}
