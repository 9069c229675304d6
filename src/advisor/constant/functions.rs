//! What functions give for any arguments.

use super::Kind;

/// Functions that give JSON.
const JSON: &str = "\
    json_array json_object json_extract json_merge_patch json_merge_preserve json_set \
    json_insert json_replace json_remove json_array_append json_array_insert json_keys \
    json_search";

/// Functions that give text.
const TEXT: &str = "\
    concat concat_ws lower lcase upper ucase left right substr substring substring_index mid \
    lpad rpad ltrim rtrim trim repeat reverse replace insert space hex unhex bin oct conv \
    char format elt export_set make_set quote soundex to_base64 from_base64 md5 sha sha1 \
    sha2 date_format time_format dayname monthname get_format json_quote json_unquote \
    json_type json_pretty user current_user session_user system_user current_role database \
    schema version charset collation inet_ntoa inet6_ntoa inet6_aton uuid_to_bin bin_to_uuid \
    aes_encrypt aes_decrypt compress uncompress regexp_substr regexp_replace from_unixtime";

/// Functions that give whole numbers.
const INTEGER: &str = "\
    length octet_length bit_length char_length character_length ascii ord crc32 field \
    find_in_set instr locate position strcmp sign floor ceil ceiling year month day \
    dayofmonth dayofweek dayofyear weekday week weekofyear yearweek quarter hour minute \
    second microsecond to_days to_seconds datediff timestampdiff period_add period_diff \
    time_to_sec json_length json_depth json_valid json_contains json_contains_path \
    json_overlaps bit_count inet_aton connection_id last_insert_id found_rows row_count \
    isnull interval is_ipv4 is_ipv6 is_uuid regexp_like regexp_instr";

fn is_in(names: &str, name: &str) -> bool {
    names.split_ascii_whitespace().any(|one| one == name)
}

/// What a function gives, whatever it is given.
pub(super) fn kind(name: &str) -> Kind {
    match name {
        "date" | "curdate" | "current_date" | "utc_date" | "from_days" | "last_day"
        | "makedate" => Kind::Date,
        "now" | "current_timestamp" | "localtime" | "localtimestamp" | "utc_timestamp"
        | "timestamp" | "str_to_date" | "convert_tz" => Kind::Moment,
        "curtime" | "current_time" | "utc_time" | "time" | "maketime" | "sec_to_time"
        | "timediff" => Kind::Time,
        name if is_in(JSON, name) => Kind::Json,
        "pow" | "power" | "sqrt" | "exp" | "ln" | "log" | "log2" | "log10" | "sin" | "cos"
        | "tan" | "cot" | "acos" | "asin" | "atan" | "atan2" | "pi" | "degrees" | "radians"
        | "unix_timestamp" => Kind::Fraction,
        name if is_in(TEXT, name) => Kind::Text,
        name if is_in(INTEGER, name) => Kind::Integer,
        _ => Kind::Unknown,
    }
}
