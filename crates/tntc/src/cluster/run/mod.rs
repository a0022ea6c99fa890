//! Running a deployed workflow once, and bringing its answer back.

pub mod attach;
pub mod bounds;
pub mod conversation;
pub mod direct;
pub mod ready;
pub mod request;
pub mod response;
pub mod trigger;
pub mod trigger_pod;
