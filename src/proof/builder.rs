//! The payer proof, written.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use secp256k1::PublicKey;

use super::check::successor;
use super::{PayerProof, UnsignedPayerProof, types};
use crate::codec::{BuildError, SIGNATURE_RECORD_LEN};
use crate::field::{BlindedPath, Field, FieldError, ProofErrorKind, is_unsafe};
use crate::merkle::Disclosure;
use crate::message::types::{self as message, is_invoice_type};
use crate::message::{Invoice, PayerKeys};
use crate::payment::{PaymentProof, Preimage, WrongPreimage};
use crate::sign::{Signer, SignerError};
use crate::tlv::{Points, Writer, bigsize};

impl Invoice {
    /// Begins a proof that this invoice was paid. `preimage` is what the payer got for the payment.
    /// The invoice may be expired by now.
    ///
    /// The proof is signed by the payer id of the invoice. Where the payer does not hold that key,
    /// no proof can be made: [`Invoice::verify_payment`] is what can be shown instead.
    ///
    /// ```
    /// use bolt12::message::types;
    /// use bolt12::{Invoice, PayerKeys, PayerProof, Preimage};
    /// # fn prove(
    /// #     invoice: &Invoice,
    /// #     preimage: Preimage,
    /// #     keys: &PayerKeys,
    /// # ) -> Result<PayerProof, Box<dyn std::error::Error>> {
    /// let proof = invoice
    ///     .prove_payment(preimage)?
    ///     .show(types::OFFER_ISSUER)
    ///     .hide(types::INVOICE_CREATED_AT)
    ///     .note("order 1234, please")
    ///     .sign_with_keys(keys)?;
    /// # Ok(proof)
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`WrongPreimage`] when the preimage is not that of the invoice's payment hash.
    pub fn prove_payment(&self, preimage: Preimage) -> Result<PayerProofBuilder<'_>, WrongPreimage> {
        let payment = PaymentProof::new(self.invoice_payment_hash(), preimage)?;
        Ok(PayerProofBuilder::from_validated(self, payment))
    }
}

/// Collects what a [`PayerProof`] shows. [`Invoice::prove_payment`] begins it.
///
/// Until it is asked for other fields it shows [`types::DEFAULT_SHOWN`]: the payer id, the payment
/// hash, the node id and the features, which every proof shows, and the description, the issuer id,
/// the time and the amount. A field that the invoice does not have is left out.
///
/// The proof is as small as it can be, and the same choice always makes the same proof.
#[derive(Clone, Debug)]
#[must_use]
pub struct PayerProofBuilder<'a> {
    invoice: &'a Invoice,
    preimage: Preimage,
    /// Whether the fields that `chosen` does not name are shown.
    others: Others,
    /// The fields that the caller named, the last choice for each.
    chosen: BTreeMap<u64, bool>,
    note: &'a str,
}

/// What the fields are that a proof shows where the caller named none.
#[derive(Clone, Copy, Debug)]
enum Others {
    Default,
    All,
    Required,
}

impl<'a> PayerProofBuilder<'a> {
    /// Begins a proof of a payment that was checked to be that of the invoice.
    pub(crate) fn from_validated(invoice: &'a Invoice, payment: PaymentProof) -> Self {
        let preimage = payment.preimage();
        Self { invoice, preimage, others: Others::Default, chosen: BTreeMap::new(), note: "" }
    }

    /// Shows `field`, if the invoice has it. The price shows its currency too, since it would be
    /// taken for msat without it. [`types::field_by_name`] finds a field by name.
    pub fn show(self, field: Field) -> Self {
        self.show_type(field.number())
    }

    /// Shows the record of type `number`, if the invoice has it, as [`PayerProofBuilder::show`].
    pub fn show_type(mut self, number: u64) -> Self {
        self.chosen.insert(number, true);
        self
    }

    /// Hides `field`. The fields that every proof shows, [`types::ALWAYS_SHOWN`], cannot be hidden.
    pub fn hide(self, field: Field) -> Self {
        self.hide_type(field.number())
    }

    /// Hides the record of type `number`, as [`PayerProofBuilder::hide`].
    pub fn hide_type(mut self, number: u64) -> Self {
        self.chosen.insert(number, false);
        self
    }

    /// Shows every record of the invoice, unknown ones too, but `invreq_metadata`, which no proof
    /// shows, and those that were or will be hidden by name.
    pub const fn show_all(mut self) -> Self {
        self.others = Others::All;
        self
    }

    /// Shows the fields that every proof shows, [`types::ALWAYS_SHOWN`], and those that were or
    /// will be shown by name.
    pub const fn show_required(mut self) -> Self {
        self.others = Others::Required;
        self
    }

    /// Shows every record of the offer that the invoice repeats, so that a verifier sees which of
    /// the issuer's offers was paid: [`shows_whole_offer`][shows].
    ///
    /// [shows]: super::VerifiedProof::shows_whole_offer
    pub fn show_offer(mut self) -> Self {
        let numbers = self.invoice.stream().records().map(|record| record.number());
        self.chosen
            .extend(numbers.filter(|number| message::is_offer_type(*number)).map(|number| (number, true)));
        self
    }

    /// A text that the proof's signature covers, such as the challenge of a verifier. An empty note
    /// is none.
    pub const fn note(mut self, note: &'a str) -> Self {
        self.note = note;
        self
    }

    /// Writes the proof, signed by `signer`, the holder of the invoice's payer id.
    ///
    /// # Errors
    ///
    /// [`BuildError::Message`] for `invreq_metadata` or a type that is none of an invoice's among
    /// the fields to show, for a field to hide that every proof shows, for a note with a control,
    /// format, private or separator character, and for a proof longer than
    /// [`MAX_MESSAGE_LEN`](crate::text::MAX_MESSAGE_LEN). [`BuildError::Signer`] when the signer
    /// refuses, returns a wrong signature, or holds another key than the payer id.
    pub fn sign(&self, signer: &(impl Signer + ?Sized)) -> Result<PayerProof, BuildError> {
        self.check()?;
        let bytes = self.write(true);
        let points = self.points();
        let mut points = points.into_iter();
        PayerProof::sign_written(bytes, self.invoice.merkle_root(), &mut Points::known(&mut points), signer)
    }

    /// Writes the proof for the holder of the invoice's payer id, who signs it elsewhere or later:
    /// [`UnsignedPayerProof::attach`] takes the signature.
    ///
    /// # Errors
    ///
    /// [`BuildError::Message`] as for [`PayerProofBuilder::sign`].
    pub fn build_unsigned(&self) -> Result<UnsignedPayerProof, BuildError> {
        self.check()?;
        let bytes = self.write(false);
        let mut points = self.points().into_iter();
        let root = self.invoice.merkle_root();
        Ok(UnsignedPayerProof::read_written(bytes, root, &mut Points::known(&mut points))?)
    }

    /// Writes the proof, signed with the key that `keys` made for the request of the invoice.
    ///
    /// # Errors
    ///
    /// As [`PayerProofBuilder::sign`]; [`BuildError::Signer`] when the request was not made with
    /// these keys.
    pub fn sign_with_keys(&self, keys: &PayerKeys) -> Result<PayerProof, BuildError> {
        let key = keys.key_for_invoice(self.invoice);
        let not_ours = || SignerError::refused("the request of the invoice was not made with these keys");
        self.sign(&key.ok_or_else(not_ours)?)
    }

    /// Refuses fields that cannot be shown or hidden, and a note that is not written.
    fn check(&self) -> Result<(), FieldError> {
        let refuse =
            |number, kind: ProofErrorKind| Err(FieldError::new(types::field(number), None, kind.into()));
        for (&number, &is_shown) in &self.chosen {
            match is_shown {
                true if number == message::INVREQ_METADATA.number() => {
                    return refuse(number, ProofErrorKind::Metadata);
                }
                true if !is_invoice_type(number) => return refuse(number, ProofErrorKind::CannotShow),
                false if contains(types::ALWAYS_SHOWN, number) => {
                    return refuse(number, ProofErrorKind::CannotHide);
                }
                _ => {}
            }
        }
        match self.note.chars().find(|character| is_unsafe(*character)) {
            Some(character) => {
                refuse(types::PROOF_NOTE.number(), ProofErrorKind::NoteCharacter { character })
            }
            None => Ok(()),
        }
    }

    fn is_shown(&self, number: u64) -> bool {
        if number == message::INVREQ_METADATA.number() {
            return false;
        }
        if contains(types::ALWAYS_SHOWN, number) {
            return true;
        }
        if number == message::OFFER_CURRENCY.number() && self.is_shown(message::OFFER_AMOUNT.number()) {
            return true;
        }
        match (self.chosen.get(&number), self.others) {
            (Some(is_shown), _) => *is_shown,
            (None, Others::All) => true,
            (None, Others::Default) => contains(types::DEFAULT_SHOWN, number),
            (None, Others::Required) => false,
        }
    }

    /// Writes the proof, with zeros for its signature if it is to be `signed` at once.
    fn write(&self, signed: bool) -> Vec<u8> {
        let stream = self.invoice.stream();
        let mut markers = Vec::with_capacity(stream.records().count());
        let mut last = 0;
        let mut shown_len = 0usize;
        let disclosure = Disclosure::new(stream, |record| {
            let is_shown = self.is_shown(record.number());
            if is_shown {
                last = record.number();
                shown_len = shown_len.saturating_add(record.raw().len());
            } else if record.number() != message::INVREQ_METADATA.number() {
                last = successor(last);
                bigsize::write(last, &mut markers);
            }
            is_shown
        });
        let shown = stream.records().filter(|record| is_invoice_type(record.number()));
        let shown = shown.filter(|record| self.is_shown(record.number()));
        let (known, experimental) = (shown.clone(), shown);
        let is_experimental = |number: u64| number > types::PROOF_NOTE.number();

        let own = [&[0; 32][..], &markers, &disclosure.hidden, &disclosure.nonces, self.note.as_bytes()];
        let own_len =
            own.iter().map(|value| value.len().saturating_add(3 + 3)).fold(0, usize::saturating_add);
        let room = shown_len.saturating_add(own_len).saturating_add(2 * SIGNATURE_RECORD_LEN);
        let mut writer = Writer::with_capacity(room);
        writer.copy(known.filter(|record| !is_experimental(record.number())));
        writer.record(message::SIGNATURE.number(), self.invoice.signature().as_ref());
        if signed {
            writer.record(types::PROOF_SIGNATURE.number(), &[0; 64]);
        }
        writer.record(types::PROOF_PREIMAGE.number(), self.preimage.as_byte_array());
        writer.record_if(
            types::PROOF_OMITTED_TLVS.number(),
            Some(&markers[..]).filter(|markers| !markers.is_empty()),
        );
        writer.record(types::PROOF_MISSING_HASHES.number(), &disclosure.hidden);
        writer.record(types::PROOF_LEAF_HASHES.number(), &disclosure.nonces);
        let note = Some(self.note.as_bytes()).filter(|note| !note.is_empty());
        writer.record_if(types::PROOF_NOTE.number(), note);
        writer.copy(experimental.filter(|record| is_experimental(record.number())));
        writer.into_bytes()
    }

    /// The points of the fields that are shown, in the order of the stream, so that none is
    /// decompressed again.
    fn points(&self) -> Vec<PublicKey> {
        let mut points = Vec::with_capacity(3);
        let invoice = self.invoice;
        let path_points = |paths: crate::field::BlindedPaths<'_>, points: &mut Vec<PublicKey>| {
            for path in paths {
                points.extend(BlindedPath::points(&path));
            }
        };
        if self.is_shown(message::OFFER_PATHS.number()) {
            path_points(invoice.offer_paths(), &mut points);
        }
        if self.is_shown(message::OFFER_ISSUER_ID.number()) {
            points.extend(invoice.offer_issuer_id());
        }
        points.push(invoice.invreq_payer_id());
        if self.is_shown(message::INVREQ_PATHS.number()) {
            path_points(invoice.invreq_paths(), &mut points);
        }
        if self.is_shown(message::INVOICE_PATHS.number()) {
            path_points(invoice.invoice_paths(), &mut points);
        }
        points.push(invoice.invoice_node_id());
        points
    }
}

fn contains(fields: &[Field], number: u64) -> bool {
    fields.iter().any(|field| field.number() == number)
}
