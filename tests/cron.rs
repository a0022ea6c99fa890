//! Cron triggers on a real cluster.
