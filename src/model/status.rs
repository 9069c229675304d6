//! Global status: the server's counters and gauges that mydex reads on every poll.

/// Whether a variable only grows while the server runs, or moves both ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Grows from server start; only its difference over an interval means something.
    Counter,
    /// A level at one moment.
    Gauge,
}

macro_rules! status_variables {
    ($($kind:ident { $($variant:ident = $name:literal),* $(,)? })*) => {
        /// One variable of `SHOW GLOBAL STATUS`, under the server's own name.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[allow(missing_docs, reason = "the server's manual documents each variable by its name")]
        pub enum Var { $($($variant),*),* }

        impl Var {
            /// Every variable, in the order of the declaration.
            pub const ALL: &'static [Var] = &[$($(Var::$variant),*),*];

            /// The name as the server spells it.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $($(Var::$variant => $name),*),* }
            }

            /// Whether it is a counter or a gauge.
            #[must_use]
            pub fn kind(self) -> Kind {
                match self { $($(Var::$variant)|* => Kind::$kind),* }
            }

            /// The variable of this name; servers differ in case never, in presence often.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Var> {
                match name { $($($name => Some(Var::$variant),)*)* _ => None }
            }
        }
    };
}

status_variables! {
    Counter {
        AbortedClients = "Aborted_clients",
        AbortedConnects = "Aborted_connects",
        BytesReceived = "Bytes_received",
        BytesSent = "Bytes_sent",
        ComBegin = "Com_begin",
        ComCommit = "Com_commit",
        ComDelete = "Com_delete",
        ComDeleteMulti = "Com_delete_multi",
        ComInsert = "Com_insert",
        ComInsertSelect = "Com_insert_select",
        ComReplace = "Com_replace",
        ComRollback = "Com_rollback",
        ComSelect = "Com_select",
        ComStmtExecute = "Com_stmt_execute",
        ComUpdate = "Com_update",
        ComUpdateMulti = "Com_update_multi",
        ConnectionErrorsMaxConnections = "Connection_errors_max_connections",
        Connections = "Connections",
        CreatedTmpDiskTables = "Created_tmp_disk_tables",
        CreatedTmpTables = "Created_tmp_tables",
        HandlerReadFirst = "Handler_read_first",
        HandlerReadKey = "Handler_read_key",
        HandlerReadNext = "Handler_read_next",
        HandlerReadPrev = "Handler_read_prev",
        HandlerReadRnd = "Handler_read_rnd",
        HandlerReadRndNext = "Handler_read_rnd_next",
        HandlerDelete = "Handler_delete",
        HandlerUpdate = "Handler_update",
        HandlerWrite = "Handler_write",
        BufferPoolReadRequests = "Innodb_buffer_pool_read_requests",
        BufferPoolReads = "Innodb_buffer_pool_reads",
        BufferPoolWaitFree = "Innodb_buffer_pool_wait_free",
        DataReads = "Innodb_data_reads",
        DataRead = "Innodb_data_read",
        DataWrites = "Innodb_data_writes",
        DataWritten = "Innodb_data_written",
        DataFsyncs = "Innodb_data_fsyncs",
        LogWaits = "Innodb_log_waits",
        OsLogWritten = "Innodb_os_log_written",
        RowLockTime = "Innodb_row_lock_time",
        RowLockWaits = "Innodb_row_lock_waits",
        RowsDeleted = "Innodb_rows_deleted",
        RowsInserted = "Innodb_rows_inserted",
        RowsRead = "Innodb_rows_read",
        RowsUpdated = "Innodb_rows_updated",
        DigestLost = "Performance_schema_digest_lost",
        Queries = "Queries",
        Questions = "Questions",
        SelectFullJoin = "Select_full_join",
        SelectScan = "Select_scan",
        SlowQueries = "Slow_queries",
        SortMergePasses = "Sort_merge_passes",
        SortRows = "Sort_rows",
        TableLocksWaited = "Table_locks_waited",
        TableOpenCacheMisses = "Table_open_cache_misses",
        Uptime = "Uptime",
    }
    Gauge {
        BufferPoolBytesData = "Innodb_buffer_pool_bytes_data",
        BufferPoolBytesDirty = "Innodb_buffer_pool_bytes_dirty",
        BufferPoolPagesFree = "Innodb_buffer_pool_pages_free",
        BufferPoolPagesTotal = "Innodb_buffer_pool_pages_total",
        RowLockCurrentWaits = "Innodb_row_lock_current_waits",
        MaxUsedConnections = "Max_used_connections",
        ThreadsCached = "Threads_cached",
        ThreadsConnected = "Threads_connected",
        ThreadsRunning = "Threads_running",
    }
}

/// The values of one reading; a variable that the server does not have is absent, not zero.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Status {
    values: Vec<Option<u64>>,
}

impl Status {
    /// The value of `var`, if the server reports it.
    #[must_use]
    pub fn get(&self, var: Var) -> Option<u64> {
        self.values.get(var as usize).copied().flatten()
    }
}

impl FromIterator<(Var, u64)> for Status {
    fn from_iter<I: IntoIterator<Item = (Var, u64)>>(pairs: I) -> Self {
        let mut values = vec![None; Var::ALL.len()];
        for (var, value) in pairs {
            values[var as usize] = Some(value);
        }
        Self { values }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip_and_positions_are_dense() {
        for (position, var) in Var::ALL.iter().enumerate() {
            assert_eq!(*var as usize, position);
            assert_eq!(Var::from_name(var.name()), Some(*var));
        }
        assert_eq!(Var::Uptime.kind(), Kind::Counter);
        assert_eq!(Var::ThreadsRunning.kind(), Kind::Gauge);
    }

    #[test]
    fn absent_is_not_zero() {
        let status: Status = [(Var::Queries, 0)].into_iter().collect();
        assert_eq!(status.get(Var::Queries), Some(0));
        assert_eq!(status.get(Var::Questions), None);
    }
}
