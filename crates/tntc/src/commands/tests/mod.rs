//! What the commands answer and say of themselves, without a cluster.

mod answers;
mod help;
