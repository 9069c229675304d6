//! The words that MySQL's lexer knows, and what its digest writes for them.
//!
//! Words and spellings were read from a MySQL 9.7.4: `information_schema.keywords`, and what
//! `STATEMENT_DIGEST_TEXT` answered for each of them. Several words are one token; the digest
//! writes the last of them in alphabetical order.

use std::sync::LazyLock;

/// Words that are keywords wherever they stand, but behind a dot.
const KEYWORDS: &str = "\
    ABSENT ACCESSIBLE ACCOUNT ACTION ACTIVE ADD ADMIN AFTER AGAINST AGGREGATE ALGORITHM ALL \
    ALLOW_MISSING_FILES ALTER ALWAYS ANALYZE AND ANY ARRAY AS ASC ASCII ASENSITIVE \
    ASSIGN_GTIDS_TO_ANONYMOUS_TRANSACTIONS AT ATTRIBUTE AUTHENTICATION AUTO AUTOEXTEND_SIZE \
    AUTO_INCREMENT AUTO_REFRESH AUTO_REFRESH_SOURCE AVG AVG_ROW_LENGTH BACKUP BEFORE BEGIN \
    BERNOULLI BETWEEN BIGINT BINARY BINLOG BIT BLOB BLOCK BOOL BOOLEAN BOTH BTREE BUCKETS BULK BY \
    BYTE CACHE CALL CASCADE CASCADED CASE CATALOG_NAME CHAIN CHALLENGE_RESPONSE CHANGE CHANGED \
    CHANNEL CHAR CHARACTER CHARSET CHECK CHECKSUM CIPHER CLASS_ORIGIN CLIENT CLONE CLOSE COALESCE \
    CODE COLLATE COLLATION COLUMN COLUMNS COLUMN_FORMAT COLUMN_NAME COMMENT COMMIT COMMITTED \
    COMPACT COMPLETION COMPONENT COMPRESSED COMPRESSION CONCURRENT CONDITION CONNECTION CONSISTENT \
    CONSTRAINT CONSTRAINT_CATALOG CONSTRAINT_NAME CONSTRAINT_SCHEMA CONTAINS CONTEXT CONTINUE \
    CONVERT CPU CREATE CROSS CUBE CUME_DIST CURRENT CURRENT_DATE CURRENT_TIME CURRENT_TIMESTAMP \
    CURRENT_USER CURSOR CURSOR_NAME DATA DATABASE DATABASES DATAFILE DATE DATETIME DAY DAY_HOUR \
    DAY_MICROSECOND DAY_MINUTE DAY_SECOND DEALLOCATE DEC DECIMAL DECLARE DEFAULT DEFAULT_AUTH \
    DEFINER DEFINITION DELAYED DELAY_KEY_WRITE DELETE DENSE_RANK DESC DESCRIBE DESCRIPTION \
    DETERMINISTIC DIAGNOSTICS DIRECTORY DISABLE DISCARD DISK DISTINCT DISTINCTROW DIV DO DOUBLE \
    DROP DUAL DUALITY DUMPFILE DUPLICATE DYNAMIC EACH ELSE ELSEIF EMPTY ENABLE ENCLOSED ENCRYPTION \
    END ENDS ENFORCED ENGINE ENGINES ENGINE_ATTRIBUTE ENUM ERROR ERRORS ESCAPE ESCAPED EVENT \
    EVENTS EVERY EXCEPT EXCHANGE EXCLUDE EXECUTE EXISTS EXIT EXPANSION EXPIRE EXPLAIN EXPORT \
    EXTENDED EXTENT_SIZE EXTERNAL EXTERNAL_FORMAT FACTOR FAILED_LOGIN_ATTEMPTS FALSE FAST FAULTS \
    FETCH FIELDS FILE FILES FILE_BLOCK_SIZE FILE_FORMAT FILE_NAME FILE_PATTERN FILE_PREFIX FILTER \
    FINISH FIRST FIRST_VALUE FIXED FLOAT FLOAT4 FLOAT8 FLUSH FOLLOWING FOLLOWS FOR FORCE FOREIGN \
    FORMAT FOUND FROM FULL FULLTEXT FUNCTION GENERAL GENERATE GENERATED GEOMCOLLECTION GEOMETRY \
    GEOMETRYCOLLECTION GET GET_FORMAT GET_SOURCE_PUBLIC_KEY GLOBAL GRANT GRANTS GROUP GROUPING \
    GROUPS GROUP_REPLICATION GTIDS GTID_ONLY GUIDED HANDLER HASH HAVING HEADER HELP HIGH_PRIORITY \
    HISTOGRAM HISTORY HOST HOSTS HOUR HOUR_MICROSECOND HOUR_MINUTE HOUR_SECOND IDENTIFIED IF \
    IGNORE IGNORE_SERVER_IDS IMPORT IN INACTIVE INDEX INDEXES INFILE INITIAL INITIAL_SIZE INITIATE \
    INNER INOUT INSENSITIVE INSERT INSERT_METHOD INSTALL INSTANCE INT INT1 INT2 INT3 INT4 INT8 \
    INTEGER INTERSECT INTERVAL INTO INVISIBLE INVOKER IO IO_AFTER_GTIDS IO_BEFORE_GTIDS IO_THREAD \
    IPC IS ISOLATION ISSUER ITERATE JOIN JSON JSON_TABLE JSON_VALUE KEY KEYRING KEYS \
    KEY_BLOCK_SIZE KILL LAG LANGUAGE LAST LAST_VALUE LATERAL LEAD LEADING LEAVE LEAVES LEFT LESS \
    LEVEL LIBRARY LIKE LIMIT LINEAR LINES LINESTRING LIST LOAD LOCAL LOCALTIME LOCALTIMESTAMP LOCK \
    LOCKED LOCKS LOG LOGFILE LOGS LONG LONGBLOB LONGTEXT LOOP LOW_PRIORITY MANUAL MASKING MASTER \
    MATCH MATERIALIZED MAXVALUE MAX_CONNECTIONS_PER_HOUR MAX_QUERIES_PER_HOUR MAX_ROWS MAX_SIZE \
    MAX_UPDATES_PER_HOUR MAX_USER_CONNECTIONS MEDIUM MEDIUMBLOB MEDIUMINT MEDIUMTEXT MEMBER MEMORY \
    MERGE MESSAGE_TEXT MICROSECOND MIDDLEINT MIGRATE MINUTE MINUTE_MICROSECOND MINUTE_SECOND \
    MIN_ROWS MOD MODE MODIFIES MODIFY MONTH MULTILINESTRING MULTIPOINT MULTIPOLYGON MUTEX \
    MYSQL_ERRNO NAME NAMES NATIONAL NATURAL NCHAR NDB NDBCLUSTER NESTED NETWORK_NAMESPACE NEVER \
    NEW NEXT NO NODEGROUP NONE NOT NOWAIT NO_WAIT NO_WRITE_TO_BINLOG NTH_VALUE NTILE NULL NULLS \
    NUMBER NUMERIC NVARCHAR OF OFF OFFSET OJ OLD ON ONE ONLY OPEN OPTIMIZE OPTIMIZER_COSTS OPTION \
    OPTIONAL OPTIONALLY OPTIONS OR ORDER ORDINALITY ORGANIZATION OTHERS OUT OUTER OUTFILE OVER \
    OWNER PACK_KEYS PAGE PARALLEL PARAMETERS PARSER PARSE_TREE PARTIAL PARTITION PARTITIONING \
    PARTITIONS PASSWORD PASSWORD_LOCK_TIME PATH PERCENT_RANK PERSIST PERSIST_ONLY PHASE PLUGIN \
    PLUGINS PLUGIN_DIR POINT POLICY POLYGON PORT PRECEDES PRECEDING PRECISION PREPARE PRESERVE \
    PREV PRIMARY PRIVILEGES PRIVILEGE_CHECKS_USER PROCEDURE PROCESS PROCESSLIST PROFILE PROFILES \
    PROXY PURGE QUALIFY QUARTER QUERY QUICK RANDOM RANGE RANK READ READS READ_ONLY READ_WRITE REAL \
    REBUILD RECOVER RECURSIVE REDO_BUFFER_SIZE REDUNDANT REFERENCE REFERENCES REGEXP REGISTRATION \
    RELATIONAL RELAY RELAYLOG RELAY_LOG_FILE RELAY_LOG_POS RELAY_THREAD RELEASE RELOAD REMOVE \
    RENAME REORGANIZE REPAIR REPEAT REPEATABLE REPLACE REPLICA REPLICAS REPLICATE_DO_DB \
    REPLICATE_DO_TABLE REPLICATE_IGNORE_DB REPLICATE_IGNORE_TABLE REPLICATE_REWRITE_DB \
    REPLICATE_WILD_DO_TABLE REPLICATE_WILD_IGNORE_TABLE REPLICATION REQUIRE REQUIRE_ROW_FORMAT \
    REQUIRE_TABLE_PRIMARY_KEY_CHECK RESET RESIGNAL RESOURCE RESPECT RESTART RESTORE RESTRICT \
    RESUME RETAIN RETURN RETURNED_SQLSTATE RETURNING RETURNS REUSE REVERSE REVOKE RIGHT RLIKE ROLE \
    ROLLBACK ROLLUP ROTATE ROUTINE ROW ROWS ROW_COUNT ROW_FORMAT ROW_NUMBER RTREE S3 SAVEPOINT \
    SCHEDULE SCHEMA SCHEMAS SCHEMA_NAME SECOND SECONDARY SECONDARY_ENGINE \
    SECONDARY_ENGINE_ATTRIBUTE SECONDARY_LOAD SECONDARY_UNLOAD SECOND_MICROSECOND SECURITY SELECT \
    SENSITIVE SEPARATOR SERIAL SERIALIZABLE SERVER SESSION SET SETS SHARE SHOW SHUTDOWN SIGNAL \
    SIGNED SIMPLE SKIP SLAVE SLOW SMALLINT SNAPSHOT SOCKET SOME SONAME SOUNDS SOURCE \
    SOURCE_AUTO_POSITION SOURCE_BIND SOURCE_COMPRESSION_ALGORITHMS SOURCE_CONNECTION_AUTO_FAILOVER \
    SOURCE_CONNECT_RETRY SOURCE_DELAY SOURCE_HEARTBEAT_PERIOD SOURCE_HOST SOURCE_LOG_FILE \
    SOURCE_LOG_POS SOURCE_PASSWORD SOURCE_PORT SOURCE_PUBLIC_KEY_PATH SOURCE_RETRY_COUNT \
    SOURCE_SSL SOURCE_SSL_CA SOURCE_SSL_CAPATH SOURCE_SSL_CERT SOURCE_SSL_CIPHER SOURCE_SSL_CRL \
    SOURCE_SSL_CRLPATH SOURCE_SSL_KEY SOURCE_SSL_VERIFY_SERVER_CERT SOURCE_TLS_CIPHERSUITES \
    SOURCE_TLS_VERSION SOURCE_USER SOURCE_ZSTD_COMPRESSION_LEVEL SPATIAL SPECIFIC SQL SQLEXCEPTION \
    SQLSTATE SQLWARNING SQL_AFTER_GTIDS SQL_AFTER_MTS_GAPS SQL_BEFORE_GTIDS SQL_BIG_RESULT \
    SQL_BUFFER_RESULT SQL_CALC_FOUND_ROWS SQL_NO_CACHE SQL_SMALL_RESULT SQL_THREAD SQL_TSI_DAY \
    SQL_TSI_HOUR SQL_TSI_MINUTE SQL_TSI_MONTH SQL_TSI_QUARTER SQL_TSI_SECOND SQL_TSI_WEEK \
    SQL_TSI_YEAR SRID SSL STACKED START STARTING STARTS STATS_AUTO_RECALC STATS_PERSISTENT \
    STATS_SAMPLE_PAGES STATUS STOP STORAGE STORED STRAIGHT_JOIN STREAM STRICT_LOAD STRING \
    SUBCLASS_ORIGIN SUBJECT SUBPARTITION SUBPARTITIONS SUPER SUSPEND SWAPS SWITCHES SYSTEM TABLE \
    TABLES TABLESAMPLE TABLESPACE TABLE_CHECKSUM TABLE_NAME TEMPORARY TEMPTABLE TERMINATED TEXT \
    THAN THEN THREAD_PRIORITY TIES TIME TIMESTAMP TIMESTAMPADD TIMESTAMPDIFF TINYBLOB TINYINT \
    TINYTEXT TLS TO TRAILING TRANSACTION TRIGGER TRIGGERS TRUE TRUNCATE TYPE TYPES UNBOUNDED \
    UNCOMMITTED UNDEFINED UNDO UNDOFILE UNDO_BUFFER_SIZE UNICODE UNINSTALL UNION UNIQUE UNKNOWN \
    UNLOCK UNREGISTER UNSIGNED UNTIL UPDATE UPGRADE URI URL USAGE USE USER USER_RESOURCES USE_FRM \
    USING UTC_DATE UTC_TIME UTC_TIMESTAMP VALIDATE VALIDATION VALUE VALUES VARBINARY VARCHAR \
    VARCHARACTER VARIABLES VARYING VCPU VECTOR VERIFY_KEY_CONSTRAINTS VIEW VIRTUAL VISIBLE WAIT \
    WARNINGS WEEK WEIGHT_STRING WHEN WHERE WHILE WINDOW WITH WITHOUT WORK WRAPPER WRITE X509 XA \
    XID XML XOR YEAR YEAR_MONTH ZEROFILL ZONE";

/// Words that are keywords only when a parenthesis follows at once.
const FUNCTIONS: &str = "\
    ADDDATE BIT_AND BIT_OR BIT_XOR CAST COUNT CURDATE CURTIME DATE_ADD DATE_SUB EXTRACT \
    GROUP_CONCAT JSON_OBJECTAGG JSON_ARRAYAGG JSON_DUALITY_OBJECT MAX MID MIN NOW POSITION \
    SESSION_USER STD STDDEV STDDEV_POP STDDEV_SAMP ST_COLLECT SUBDATE SUBSTR SUBSTRING SUM SYSDATE \
    SYSTEM_USER TRIM VARIANCE VAR_POP VAR_SAMP";

/// Words that are keywords inside an optimizer hint.
const HINTS: &str = "\
    BKA BNL DERIVED_CONDITION_PUSHDOWN DUPSWEEDOUT FIRSTMATCH GROUP_INDEX HASH_JOIN INDEX \
    INDEX_MERGE INTOEXISTS JOIN_FIXED_ORDER JOIN_INDEX JOIN_ORDER JOIN_PREFIX JOIN_SUFFIX \
    LOOSESCAN MATERIALIZATION MAX_EXECUTION_TIME MERGE MRR NO_BKA NO_BNL \
    NO_DERIVED_CONDITION_PUSHDOWN NO_GROUP_INDEX NO_HASH_JOIN NO_ICP NO_INDEX NO_INDEX_MERGE \
    NO_JOIN_INDEX NO_MERGE NO_MRR NO_ORDER_INDEX NO_RANGE_OPTIMIZATION NO_SEMIJOIN NO_SKIP_SCAN \
    ORDER_INDEX QB_NAME RESOURCE_GROUP SEMIJOIN SET_VAR SKIP_SCAN SUBQUERY";

/// Character sets, which follow an underscore in front of a literal.
const CHARSETS: &str = "\
    armscii8 ascii big5 binary cp1250 cp1251 cp1256 cp1257 cp850 cp852 cp866 cp932 dec8 eucjpms \
    euckr gb18030 gb2312 gbk geostd8 greek hebrew hp8 keybcs2 koi8r koi8u latin1 latin2 latin5 \
    latin7 macce macroman sjis swe7 tis620 ucs2 ujis utf16 utf16le utf32 utf8 utf8mb3 utf8mb4";

/// Words that are written as another one.
const SYNONYMS: [(&str, &str); 42] = [
    ("ANY", "SOME"),
    ("BIGINT", "INT8"),
    ("CHAR", "CHARACTER"),
    ("COLUMNS", "FIELDS"),
    ("CURRENT_DATE", "CURDATE"),
    ("CURRENT_TIME", "CURTIME"),
    ("CURRENT_TIMESTAMP", "NOW"),
    ("DATABASE", "SCHEMA"),
    ("DATABASES", "SCHEMAS"),
    ("DAY", "SQL_TSI_DAY"),
    ("DEC", "DECIMAL"),
    ("DESCRIBE", "EXPLAIN"),
    ("DISTINCT", "DISTINCTROW"),
    ("DOUBLE", "FLOAT8"),
    ("FLOAT", "FLOAT4"),
    ("GEOMCOLLECTION", "GEOMETRYCOLLECTION"),
    ("HOUR", "SQL_TSI_HOUR"),
    ("INT", "INTEGER"),
    ("INT1", "TINYINT"),
    ("INT2", "SMALLINT"),
    ("INT3", "MIDDLEINT"),
    ("INT4", "INTEGER"),
    ("IO_THREAD", "RELAY_THREAD"),
    ("LOCALTIME", "NOW"),
    ("LOCALTIMESTAMP", "NOW"),
    ("MEDIUMINT", "MIDDLEINT"),
    ("MID", "SUBSTRING"),
    ("MINUTE", "SQL_TSI_MINUTE"),
    ("MONTH", "SQL_TSI_MONTH"),
    ("NDB", "NDBCLUSTER"),
    ("QUARTER", "SQL_TSI_QUARTER"),
    ("REGEXP", "RLIKE"),
    ("SECOND", "SQL_TSI_SECOND"),
    ("SESSION_USER", "SYSTEM_USER"),
    ("SQL_TSI_WEEK", "WEEK"),
    ("SQL_TSI_YEAR", "YEAR"),
    ("STD", "STDDEV_POP"),
    ("STDDEV", "STDDEV_POP"),
    ("SUBSTR", "SUBSTRING"),
    ("USER", "SYSTEM_USER"),
    ("VARCHAR", "VARCHARACTER"),
    ("VARIANCE", "VAR_POP"),
];

/// Behind this word or sign a `+` or `-` belongs to the number that follows.
pub(super) const SIGNS: u8 = 1;
/// Behind this word or sign `NULL` is a value.
pub(super) const NULLS: u8 = 2;
/// An expression goes on with this word.
pub(super) const GOES_ON: u8 = 4;
/// Ends a list of ordering or grouping expressions.
pub(super) const ENDS_LIST: u8 = 8;

/// The number of the first word in the space of token codes.
pub(super) const FIRST: u16 = 1024;

const SIGN_WORDS: &str = "AND AT BETWEEN CASE DEFAULT DIV ELSE ELSEIF ENDS EVERY IF INTERVAL LIKE \
    MOD NOT OR RETURN RLIKE SELECT STARTS THEN UNTIL WHEN WHILE XOR";
const NULL_WORDS: &str = "ALL AND AT BETWEEN BINARY BY CASE DEFAULT DISTINCTROW DIV DO ELSE ELSEIF \
    ENDS ESCAPE EVERY FOR FROM HAVING HIGH_PRIORITY IF INTERVAL LIKE LIMIT MOD OFFSET ON OR RETURN \
    RLIKE SELECT SQL_BIG_RESULT SQL_BUFFER_RESULT SQL_CALC_FOUND_ROWS SQL_NO_CACHE \
    SQL_SMALL_RESULT STARTS STRAIGHT_JOIN THEN UNTIL USING WHEN WHERE WHILE XOR";
const GOING_ON: &str = "AND BETWEEN COLLATE DIV IN IS LIKE MEMBER MOD NOT OR RLIKE SOUNDS XOR";
const LIST_ENDS: &str = "EXCEPT FOR GROUPS HAVING INTERSECT INTO LIMIT LOCK ON ORDER PROCEDURE \
    QUALIFY RANGE ROWS SEPARATOR UNION WINDOW WITH";

/// A word as it is found: which token it is, and where.
#[derive(Debug, Clone, Copy)]
struct Slot {
    head: u64,
    tail: u64,
    word: &'static str,
    /// Code of the token; zero for an empty slot.
    code: u16,
    is_function: bool,
    is_hint: bool,
    is_main: bool,
}

const EMPTY: Slot = Slot {
    head: 0,
    tail: 0,
    word: "",
    code: 0,
    is_function: false,
    is_hint: false,
    is_main: false,
};

const SLOTS: usize = 4096;

/// The words with their codes.
#[derive(Debug)]
pub(super) struct Words {
    slots: Vec<Slot>,
    /// What is written for the code `FIRST + i`.
    texts: Vec<&'static str>,
    flags: Vec<u8>,
    pub(super) known: Known,
}

/// Codes of the words that the reductions look at.
#[derive(Debug, Clone, Copy, Default)]
#[allow(missing_docs, reason = "the names are the words")]
pub(super) struct Known {
    pub(super) by: u16,
    pub(super) delete: u16,
    pub(super) execute: u16,
    pub(super) group: u16,
    pub(super) in_: u16,
    pub(super) insert: u16,
    pub(super) not: u16,
    pub(super) null: u16,
    pub(super) order: u16,
    pub(super) partition: u16,
    pub(super) prepare: u16,
    pub(super) replace: u16,
    pub(super) rollup: u16,
    pub(super) select: u16,
    pub(super) update: u16,
    pub(super) with: u16,
}

/// The one table.
pub(super) static WORDS: LazyLock<Words> = LazyLock::new(Words::build);

/// Letters in upper case; digits and the rest of a word stay distinct from one another.
const FOLD: u64 = 0xdfdf_dfdf_dfdf_dfdf;

/// The first and the last eight bytes of a word, letters folded. A word of up to sixteen bytes is
/// known by them and its length.
#[inline]
fn ends(word: &[u8]) -> (u64, u64) {
    if let (Some(head), Some(tail)) = (word.first_chunk::<8>(), word.last_chunk::<8>()) {
        return (
            u64::from_le_bytes(*head) & FOLD,
            u64::from_le_bytes(*tail) & FOLD,
        );
    }
    if let (Some(head), Some(tail)) = (word.first_chunk::<4>(), word.last_chunk::<4>()) {
        let head = u64::from(u32::from_le_bytes(*head));
        let tail = u64::from(u32::from_le_bytes(*tail));
        return ((head | tail << 32) & FOLD, 0);
    }
    let mut head = 0;
    for byte in word {
        head = head << 8 | u64::from(*byte);
    }
    (head & FOLD, 0)
}

#[inline]
fn place(head: u64, tail: u64, length: usize) -> usize {
    let mixed = (head ^ tail.rotate_left(23) ^ length as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    usize::try_from(mixed >> 52).unwrap_or(0) & (SLOTS - 1)
}

impl Words {
    fn build() -> Self {
        let mut words = Self {
            slots: vec![EMPTY; SLOTS],
            texts: Vec::new(),
            flags: Vec::new(),
            known: Known::default(),
        };
        for (list, is_function, is_hint) in [
            (KEYWORDS, false, false),
            (FUNCTIONS, true, false),
            (HINTS, false, true),
        ] {
            for word in list.split_ascii_whitespace() {
                let text = SYNONYMS
                    .iter()
                    .find(|(from, _)| !is_hint && *from == word)
                    .map_or(word, |(_, to)| to);
                words.insert(word, text, is_function, is_hint);
            }
        }
        words.flag(SIGN_WORDS, SIGNS);
        words.flag(NULL_WORDS, NULLS);
        words.flag(GOING_ON, GOES_ON);
        words.flag(LIST_ENDS, ENDS_LIST);
        words.known = Known {
            by: words.code_of("BY"),
            delete: words.code_of("DELETE"),
            execute: words.code_of("EXECUTE"),
            group: words.code_of("GROUP"),
            in_: words.code_of("IN"),
            insert: words.code_of("INSERT"),
            not: words.code_of("NOT"),
            null: words.code_of("NULL"),
            order: words.code_of("ORDER"),
            partition: words.code_of("PARTITION"),
            prepare: words.code_of("PREPARE"),
            replace: words.code_of("REPLACE"),
            rollup: words.code_of("ROLLUP"),
            select: words.code_of("SELECT"),
            update: words.code_of("UPDATE"),
            with: words.code_of("WITH"),
        };
        words
    }

    fn flag(&mut self, list: &'static str, flag: u8) {
        for word in list.split_ascii_whitespace() {
            let index = usize::from(self.code_of(word).saturating_sub(FIRST));
            if let Some(flags) = self.flags.get_mut(index) {
                *flags |= flag;
            }
        }
    }

    /// Code of the token that is written as `text`; a new one, if need be.
    fn code_of(&mut self, text: &'static str) -> u16 {
        let index = self.texts.iter().position(|known| *known == text);
        let index = index.unwrap_or_else(|| {
            self.texts.push(text);
            self.flags.push(0);
            self.texts.len() - 1
        });
        u16::try_from(index).unwrap_or(0) + FIRST
    }

    fn insert(&mut self, word: &'static str, text: &'static str, is_function: bool, is_hint: bool) {
        let code = self.code_of(text);
        let (head, tail) = ends(word.as_bytes());
        let mut at = place(head, tail, word.len());
        while self.slots[at].code != 0 {
            if self.is(at, head, tail, word.as_bytes()) {
                // A word may be both a keyword and a hint.
                self.slots[at].is_hint |= is_hint;
                return;
            }
            at = (at + 1) % SLOTS;
        }
        self.slots[at] = Slot {
            head,
            tail,
            word,
            code,
            is_function,
            is_hint,
            is_main: !is_hint,
        };
    }

    #[inline]
    fn is(&self, at: usize, head: u64, tail: u64, word: &[u8]) -> bool {
        let slot = &self.slots[at];
        slot.head == head
            && slot.tail == tail
            && slot.word.len() == word.len()
            && (word.len() <= 16 || slot.word.as_bytes().eq_ignore_ascii_case(word))
    }

    #[inline]
    fn slot(&self, word: &[u8]) -> Option<&Slot> {
        let (head, tail) = ends(word);
        let mut at = place(head, tail, word.len());
        while self.slots[at].code != 0 {
            if self.is(at, head, tail, word) {
                return Some(&self.slots[at]);
            }
            at = (at + 1) % SLOTS;
        }
        None
    }

    /// The keyword that `word` is, in any case. `is_call`: a parenthesis follows at once.
    #[inline]
    pub(super) fn keyword(&self, word: &[u8], is_call: bool) -> Option<u16> {
        let slot = self.slot(word)?;
        (slot.is_main && (is_call || !slot.is_function)).then_some(slot.code)
    }

    /// The keyword that `word` is inside an optimizer hint.
    pub(super) fn hint(&self, word: &[u8]) -> Option<u16> {
        let slot = self.slot(word)?;
        slot.is_hint.then_some(slot.code)
    }

    /// What is written for a word.
    pub(super) fn text(&self, code: u16) -> &'static str {
        let index = usize::from(code.saturating_sub(FIRST));
        self.texts.get(index).copied().unwrap_or("")
    }

    /// What a word means for the tokens behind it.
    #[inline]
    pub(super) fn flags(&self, code: u16) -> u8 {
        let index = usize::from(code.saturating_sub(FIRST));
        self.flags.get(index).copied().unwrap_or(0)
    }
}

/// Whether `word` is the name of a character set behind an underscore, as in `_utf8mb4'x'`.
pub(super) fn is_introducer(word: &[u8]) -> bool {
    word.strip_prefix(b"_").is_some_and(|name| {
        CHARSETS
            .split_ascii_whitespace()
            .any(|charset| charset.as_bytes().eq_ignore_ascii_case(name))
    })
}
