//! `tntc audit` on a real cluster.
