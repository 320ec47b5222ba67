//! The month's work: take back, correct, close, sign, submit. One file a command; [`show`] is the
//! report as its signatories read it, [`preview`] what a close would make.

pub mod close;
pub mod correct;
pub mod sign;
pub mod submit;
pub mod void;

mod preview;
mod show;
mod to_sign;
