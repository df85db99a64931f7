//! Stores and payers of a caller's own.
