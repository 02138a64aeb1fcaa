//! What is proposed, approved and written, with expectations that are worked out by hand.

mod applying;
mod proposing;
mod repairs;
mod states;
mod world;
