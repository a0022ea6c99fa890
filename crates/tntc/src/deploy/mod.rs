//! From a workflow directory to what a deploy, a live test and an audit act on.

pub mod drift_gate;
pub mod live;
pub mod prepare;
