//! The pure half of `tntc`: bytes in, values out; no file, clock, network or environment.
