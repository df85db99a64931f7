//! [`RecentRequests`]: what a device signed lately.

use super::SigningRequest;

/// The last `N` messages that a device signed, so that a replayed request is noticed.
///
/// A replayed request cannot make a second payment: a message under one key has one signature, so
/// the host gets the bytes that it has already. A person is still to see that it is asked for
/// again. The table takes 32 bytes for each message, allocates nothing, and forgets the oldest.
///
/// ```
/// use bolt12::device::{RecentRequests, SigningContext, SigningRequest};
/// # fn review(
/// #     request: &SigningRequest,
/// #     recent: &mut RecentRequests<16>,
/// # ) -> Result<(), Box<dyn std::error::Error>> {
/// let context = SigningContext::new().signed_before(recent.contains(request));
/// let review = request.review(&context)?;
/// // … shown, confirmed and signed:
/// recent.insert(request);
/// # let _ = review;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct RecentRequests<const N: usize> {
    hashes: [Option<[u8; 32]>; N],
    next: usize,
}

impl<const N: usize> RecentRequests<N> {
    /// An empty table.
    pub const fn new() -> Self {
        Self { hashes: [None; N], next: 0 }
    }

    /// Whether the message of `request` is in the table. It is the hash that is compared, so the
    /// same message in another request is found too.
    pub fn contains(&self, request: &SigningRequest) -> bool {
        self.hashes.contains(&Some(request.message().sighash().to_byte_array()))
    }

    /// Notes that the message of `request` was signed.
    pub fn insert(&mut self, request: &SigningRequest) {
        if self.contains(request) {
            return;
        }
        if let Some(place) = self.hashes.get_mut(self.next) {
            *place = Some(request.message().sighash().to_byte_array());
        }
        self.next = self.next.saturating_add(1).checked_rem(N).unwrap_or(0);
    }
}

impl<const N: usize> Default for RecentRequests<N> {
    fn default() -> Self {
        Self::new()
    }
}
