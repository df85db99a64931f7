//! What people paste, and links and names: the published vectors, pastes from chats, mails and sites, and random ones.

mod choosing;
mod names;
mod pastes;
mod random;
mod rules;
mod vectors;

/// The smallest offer: its issuer's key alone.
const OFFER: &str = "lno1zcss9mk8y3wkklfvevcrszlmu23kfrxh49px20665dqwmn4p72pksese";
