//! # slowlog
//! Purpose: slow query logs of MySQL, Percona Server and MariaDB to ranked digests.
//! Gives: classes with their figures; malformed entries counted and shown, never a failure of the whole.
//! Pure files: none
//! May import: model, sql
//! Reading order: none yet
