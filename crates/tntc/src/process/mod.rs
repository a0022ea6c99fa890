//! Processes: signals, what runs beside this one and dies with it, and who holds a port.

pub mod interrupt;
pub mod lifetime;
pub mod port;
pub mod program;
pub mod proxies;
